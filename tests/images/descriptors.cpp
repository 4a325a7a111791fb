// Threads that wait for each other by way of pipes, events, sockets, timers and signals. What one wrote before it sent
// something is there for whoever received it, and time passes where threads wait for it.
//
// ending: status 0
// executions: 60
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

void pipes() {
  int ends[2];
  assert(pipe(ends) == 0);
  int plain = 0;
  std::thread writer([&] {
    plain = 7;
    for (char byte = 1; byte <= 2; byte++) assert(write(ends[1], &byte, 1) == 1);
    close(ends[1]);
  });
  int sum = 0;
  char byte;
  while (read(ends[0], &byte, 1) == 1) {
    sum += byte;
    assert(plain == 7);
  }
  assert(sum == 3);
  writer.join();
  close(ends[0]);
}

void events() {
  const int event = eventfd(0, EFD_SEMAPHORE);
  const auto take = [=] {
    uint64_t value = 0;
    assert(eventfd_read(event, &value) == 0 && value == 1);
  };
  std::thread one(take);
  std::thread two(take);
  assert(eventfd_write(event, 2) == 0);
  one.join();
  two.join();
  close(event);
}

void connections(int family) {
  sockaddr_storage name{};
  socklen_t size = sizeof(sockaddr_in);
  if (family == AF_UNIX) {
    auto *local = reinterpret_cast<sockaddr_un *>(&name);
    *local = {AF_UNIX, "/tmp/threadbare socket"};
    size = sizeof *local;
  } else {
    reinterpret_cast<sockaddr_in *>(&name)->sin_family = AF_INET;
    reinterpret_cast<sockaddr_in *>(&name)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  const int listener = socket(family, SOCK_STREAM, 0);
  assert(bind(listener, reinterpret_cast<sockaddr *>(&name), size) == 0 && listen(listener, 1) == 0);
  assert(getsockname(listener, reinterpret_cast<sockaddr *>(&name), &size) == 0);
  std::thread server([=] {
    const int descriptor = accept(listener, nullptr, nullptr);
    assert(descriptor >= 0);
    char bytes[4];
    ssize_t got;
    while ((got = recv(descriptor, bytes, sizeof bytes, 0)) > 0) assert(send(descriptor, bytes, got, 0) == got);
    assert(got == 0);
    close(descriptor);
  });
  const int client = socket(family, SOCK_STREAM, 0);
  assert(connect(client, reinterpret_cast<sockaddr *>(&name), size) == 0);
  assert(write(client, "abcdef", 6) == 6);
  char bytes[8];
  assert(recv(client, bytes, 6, MSG_WAITALL) == 6 && bytes[5] == 'f');
  assert(shutdown(client, SHUT_WR) == 0 && read(client, bytes, 1) == 0);
  server.join();
  close(client);
  close(listener);
}

void times() {
  const int instance = epoll_create1(0);
  const int timer = timerfd_create(CLOCK_MONOTONIC, 0);
  epoll_event event{};
  event.events = EPOLLIN;
  assert(epoll_ctl(instance, EPOLL_CTL_ADD, timer, &event) == 0);
  const auto start = Clock::now();
  assert(epoll_wait(instance, &event, 1, 5) == 0 && Clock::now() - start >= 5ms);
  itimerspec time{{0, 0}, {3600, 0}};
  assert(timerfd_settime(timer, 0, &time, nullptr) == 0);
  assert(epoll_wait(instance, &event, 1, -1) == 1 && Clock::now() - start >= 1h);
  uint64_t ticks = 0;
  assert(read(timer, &ticks, sizeof ticks) == sizeof ticks && ticks == 1);
  timeval second{1, 0};
  fd_set none;
  FD_ZERO(&none);
  assert(select(0, &none, nullptr, nullptr, &second) == 0 && Clock::now() - start >= 1h + 1s);
  close(timer);
  close(instance);
}

void polls() {
  int pair[2];
  assert(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
  std::thread sender([=] { assert(send(pair[1], "x", 1, 0) == 1); });
  pollfd entries[2] = {{pair[0], POLLIN, 0}, {-1, POLLIN, 0}};
  assert(poll(entries, 2, -1) == 1 && entries[0].revents == POLLIN && entries[1].revents == 0);
  sender.join();
  close(pair[0]);
  close(pair[1]);
}

void signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  const int descriptor = signalfd(-1, &set, 0);
  const pthread_t self = pthread_self();
  std::thread sender([=] { pthread_kill(self, SIGUSR1); });
  signalfd_siginfo told{};
  assert(read(descriptor, &told, sizeof told) == sizeof told && told.ssi_signo == SIGUSR1);
  sender.join();
  close(descriptor);
}

void interruptions() {
  struct sigaction action{};
  action.sa_handler = [](int) {};
  sigaction(SIGUSR2, &action, nullptr);
  int ends[2];
  assert(pipe(ends) == 0);
  std::thread reader([=] {
    char byte;
    const ssize_t got = read(ends[0], &byte, 1);
    assert(got == 1 || (got < 0 && errno == EINTR));
  });
  pthread_kill(reader.native_handle(), SIGUSR2);
  assert(write(ends[1], "x", 1) == 1);
  reader.join();
  close(ends[0]);
  // Nobody reads any more.
  signal(SIGPIPE, SIG_IGN);
  assert(write(ends[1], "x", 1) < 0 && errno == EPIPE);
  close(ends[1]);
}

}  // namespace

int main() {
  pipes();
  events();
  connections(AF_UNIX);
  connections(AF_INET);
  times();
  polls();
  signals();
  interruptions();
  return 0;
}
