// Random calls on descriptors of one thread, none of which waits. What each gives goes to a file, to be compared between
// the system's kernel and the emulated one: `descriptor_calls FILE FIRST_SEED LAST_SEED`.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr int kCalls = 120;
constexpr std::size_t kSlots = 14;

std::string told;
uint64_t state;

unsigned below(unsigned bound) {
  state = state * 6364136223846793005U + 1442695040888963407U;
  return static_cast<unsigned>(state >> 33) % bound;
}

__attribute__((format(printf, 1, 2))) void tell(const char *format, ...) {
  char text[256];
  va_list rest;
  va_start(rest, format);
  vsnprintf(text, sizeof text, format, rest);
  va_end(rest);
  told += text;
}

/// A call's result, and its error where it failed.
long gave(long result) {
  if (result < 0) {
    tell(" -> %s\n", strerrorname_np(errno));
  } else {
    tell(" -> %ld\n", result);
  }
  return result;
}

/// Descriptors by slot, since their numbers differ.
std::vector<int> slots;

void keep(int descriptor) {
  if (descriptor < 0) return;
  if (slots.size() < kSlots) {
    slots.push_back(descriptor);
  } else {
    const unsigned slot = below(kSlots);
    tell("  in place of %u", slot);
    gave(close(slots[slot]));
    slots[slot] = descriptor;
  }
}

void keep_pair(long made, const int *pair) {
  if (made == 0) {
    keep(pair[0]);
    keep(pair[1]);
  }
}

unsigned any_slot() { return below(static_cast<unsigned>(slots.size())); }

bool is_event(int descriptor) {
  struct stat found{};
  return fstat(descriptor, &found) == 0 && !S_ISFIFO(found.st_mode) && !S_ISSOCK(found.st_mode);
}

/// A listening socket and some that connect to it.
void connect_pair(int family, int type) {
  const int listener = socket(family, type | SOCK_NONBLOCK, 0);
  sockaddr_storage name{};
  socklen_t size = sizeof(sockaddr_in);
  if (family == AF_UNIX) {
    auto *unix_name = reinterpret_cast<sockaddr_un *>(&name);
    unix_name->sun_family = AF_UNIX;
    const int length = snprintf(unix_name->sun_path + 1, 60, "descriptor calls %d %llu", getpid(), (unsigned long long)state);
    size = static_cast<socklen_t>(sizeof(sa_family_t) + 1 + length);
  } else {
    auto *inet_name = reinterpret_cast<sockaddr_in *>(&name);
    inet_name->sin_family = AF_INET;
    inet_name->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  tell("bind");
  gave(bind(listener, reinterpret_cast<sockaddr *>(&name), size));
  tell("listen");
  // For TCP there is room: who finds none tries again a second later.
  gave(listen(listener, static_cast<int>(below(3)) + (family == AF_UNIX ? 0 : 2)));
  socklen_t room = sizeof name;
  getsockname(listener, reinterpret_cast<sockaddr *>(&name), &room);
  const int clients = 1 + static_cast<int>(below(2));
  for (int client = 0; client < clients; client++) {
    const int descriptor = socket(family, type | SOCK_NONBLOCK, 0);
    tell("connect");
    gave(connect(descriptor, reinterpret_cast<sockaddr *>(&name), room));
    keep(descriptor);
  }
  keep(listener);
}

void create() {
  int pair[2];
  const int type = (const int[]){SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}[below(3)];
  switch (below(6)) {
    case 0: {
      const unsigned count = below(3);
      const int flags = below(2) ? EFD_SEMAPHORE : 0;
      tell("eventfd %u %d\n", count, flags);
      keep(eventfd(count, EFD_NONBLOCK | flags));
      break;
    }
    case 1:
      tell("pipe\n");
      keep_pair(pipe2(pair, O_NONBLOCK), pair);
      break;
    case 2:
    case 3:
      tell("socketpair %d\n", type);
      keep_pair(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, pair), pair);
      break;
    case 4:
      tell("epoll\n");
      keep(epoll_create1(0));
      break;
    default: {
      const int family = (const int[]){AF_UNIX, AF_INET}[below(2)];
      tell("socket %d %d\n", family, type);
      if (family == AF_UNIX || type != SOCK_SEQPACKET) keep(socket(family, type | SOCK_NONBLOCK, 0));
    }
  }
}

void accept_one() {
  const unsigned slot = any_slot();
  tell("accept %u", slot);
  const int accepted = accept4(slots[slot], nullptr, nullptr, SOCK_NONBLOCK);
  if (accepted < 0) {
    gave(accepted);
  } else {
    tell(" -> one\n");
    keep(accepted);
  }
}

void read_some() {
  const unsigned slot = any_slot();
  char bytes[64] = {};
  const std::size_t size = (const std::size_t[]){0, 1, 3, 8, 8, 16, 64}[below(7)];
  long result = 0;
  switch (below(4)) {
    case 0: {
      const std::size_t half = size / 2;
      const iovec pieces[2] = {{bytes, half}, {bytes + half, size - half}};
      tell("readv %u %zu", slot, size);
      result = gave(readv(slots[slot], pieces, 2));
      break;
    }
    case 1: {
      const int flags = (const int[]){0, MSG_PEEK, MSG_DONTWAIT}[below(3)];
      tell("recv %u %zu %d", slot, size, flags);
      result = gave(recv(slots[slot], bytes, size, flags));
      break;
    }
    default:
      tell("read %u %zu", slot, size);
      result = gave(read(slots[slot], bytes, size));
  }
  if (result > 0) {
    for (long index = 0; index < std::min<long>(result, 64); index++) tell("%02x", static_cast<unsigned char>(bytes[index]));
    tell("\n");
  }
}

void write_some() {
  const unsigned slot = any_slot();
  uint64_t words[8];
  for (auto &word : words) word = below(3);
  std::size_t size = (const std::size_t[]){0, 1, 3, 8, 8, 16, 64}[below(7)];
  // What an event does with more than a number depends on the version of Linux.
  if (size > 8 && is_event(slots[slot])) size = 8;
  switch (below(4)) {
    case 0: {
      const std::size_t half = size / 2;
      char *bytes = reinterpret_cast<char *>(words);
      const iovec pieces[2] = {{bytes, half}, {bytes + half, size - half}};
      tell("writev %u %zu", slot, size);
      gave(writev(slots[slot], pieces, 2));
      break;
    }
    case 1:
      tell("send %u %zu", slot, size);
      gave(send(slots[slot], words, size, MSG_NOSIGNAL));
      break;
    default:
      tell("write %u %zu", slot, size);
      gave(write(slots[slot], words, size));
  }
}

void control_epoll() {
  const unsigned instance = any_slot();
  const unsigned slot = any_slot();
  const int operation = (const int[]){EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL}[below(4)];
  epoll_event event{};
  event.data.u32 = below(1000);
  event.events = (const uint32_t[]){EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT, EPOLLIN | EPOLLRDHUP}[below(4)];
  event.events |= (const uint32_t[]){0, 0, EPOLLET, EPOLLONESHOT, EPOLLET | EPOLLONESHOT}[below(5)];
  tell("epoll_ctl %u %d %u %x", instance, operation, slot, event.events);
  gave(epoll_ctl(slots[instance], operation, slots[slot], &event));
}

void wait_epoll() {
  epoll_event events[4];
  const unsigned slot = any_slot();
  const int most = 1 + static_cast<int>(below(4));
  tell("epoll_wait %u %d", slot, most);
  const long count = gave(epoll_wait(slots[slot], events, most, 0));
  for (long index = 0; index < count; index++) tell("  %x of %u\n", events[index].events, events[index].data.u32);
}

void poll_some() {
  pollfd entries[3];
  const unsigned count = 1 + below(3);
  tell("poll");
  for (unsigned index = 0; index < count; index++) {
    const unsigned slot = any_slot();
    const auto events = static_cast<short>((const int[]){POLLIN, POLLOUT, POLLIN | POLLOUT | POLLRDHUP, 0}[below(4)]);
    entries[index] = {slots[slot], events, 0};
    tell(" %u:%x", slot, events);
  }
  if (gave(poll(entries, count, 0)) > 0) {
    for (unsigned index = 0; index < count; index++) tell("  %x\n", entries[index].revents);
  }
}

void select_some() {
  fd_set read, write;
  FD_ZERO(&read);
  FD_ZERO(&write);
  int highest = 0;
  const unsigned one = any_slot();
  const unsigned two = any_slot();
  FD_SET(slots[one], &read);
  FD_SET(slots[two], &write);
  highest = std::max(slots[one], slots[two]);
  timeval none{};
  tell("select %u %u", one, two);
  if (gave(select(highest + 1, &read, &write, nullptr, &none)) >= 0) {
    tell("  %d %d\n", FD_ISSET(slots[one], &read) != 0, FD_ISSET(slots[two], &write) != 0);
  }
}

void look_and_change() {
  const unsigned slot = any_slot();
  switch (below(8)) {
    case 0: {
      const int how = static_cast<int>(below(3));
      tell("shutdown %u %d", slot, how);
      gave(shutdown(slots[slot], how));
      break;
    }
    case 1: {
      int error = -1;
      socklen_t size = sizeof error;
      tell("SO_ERROR %u", slot);
      if (gave(getsockopt(slots[slot], SOL_SOCKET, SO_ERROR, &error, &size)) == 0) tell("  %d\n", error);
      break;
    }
    case 2: {
      int waiting = -1;
      if (is_event(slots[slot]) || (fcntl(slots[slot], F_GETFL) & O_ACCMODE) == O_WRONLY) break;
      tell("FIONREAD %u", slot);
      if (gave(ioctl(slots[slot], FIONREAD, &waiting)) == 0) tell("  %d\n", waiting);
      break;
    }
    case 3:
      tell("F_GETFL %u", slot);
      gave(fcntl(slots[slot], F_GETFL));
      break;
    case 4:
      tell("dup %u\n", slot);
      keep(dup(slots[slot]));
      break;
    case 5: {
      const unsigned other = any_slot();
      tell("dup2 %u %u", slot, other);
      gave(dup2(slots[slot], slots[other]) >= 0 ? 0 : -1);
      break;
    }
    case 6: {
      sockaddr_storage name{};
      socklen_t size = sizeof name;
      tell("getpeername %u", slot);
      gave(getpeername(slots[slot], reinterpret_cast<sockaddr *>(&name), &size));
      break;
    }
    default:
      // Twice is an error, and closes nobody else's.
      tell("close %u", slot);
      gave(close(slots[slot]));
      tell("close %u", slot);
      gave(close(slots[slot]));
      slots.erase(slots.begin() + slot);
  }
}

void step() {
  const unsigned choice = below(100);
  if (slots.size() < 3 || choice < 8) {
    create();
  } else if (choice < 12) {
    connect_pair(below(2) ? AF_UNIX : AF_INET, SOCK_STREAM);
  } else if (choice < 18) {
    accept_one();
  } else if (choice < 38) {
    read_some();
  } else if (choice < 58) {
    write_some();
  } else if (choice < 72) {
    control_epoll();
  } else if (choice < 82) {
    wait_epoll();
  } else if (choice < 90) {
    poll_some();
  } else if (choice < 92) {
    select_some();
  } else {
    look_and_change();
  }
}

}  // namespace

int main(int count, char **words) {
  const unsigned first = count > 3 ? static_cast<unsigned>(atoi(words[2])) : 1;
  const unsigned last = count > 3 ? static_cast<unsigned>(atoi(words[3])) : 3;
  signal(SIGPIPE, SIG_IGN);
  for (unsigned seed = first; seed <= last; seed++) {
    state = seed;
    tell("seed %u\n", seed);
    for (int call = 0; call < kCalls; call++) step();
    for (const int descriptor : slots) close(descriptor);
    slots.clear();
  }
  if (count > 1) {
    FILE *file = fopen(words[1], "w");
    if (file == nullptr) return 1;
    fwrite(told.data(), 1, told.size(), file);
    fclose(file);
  }
  return 0;
}
