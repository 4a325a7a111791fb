// An echo server and four clients in one process, with timers and a shutdown, on an io_context of asio that two threads run.
// With the word of a fault as its argument it has that fault; with `ping-pong` two coroutines send a byte to and fro instead, on
// one thread, and with `ping-pong-threads` on two.
#include <asio.hpp>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cassert>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

namespace {

std::string_view fault;

constexpr int kClients = 4;
constexpr int kRounds = 2;

using asio::ip::tcp;
using asio::use_awaitable;
using namespace std::chrono_literals;

/// What goes wrong in a coroutine is the program's end.
void rethrow(std::exception_ptr error) {
  if (error) std::rethrow_exception(error);
}

/// One connection: what arrives goes back, until the other end has no more. How often it was silent for long is counted, by
/// the one handler of its timer. No strand is needed, since the coroutine and the handler share nothing.
class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(tcp::socket socket) : socket_(std::move(socket)), silence_(socket_.get_executor()) {}

  void start() {
    watch();
    asio::co_spawn(socket_.get_executor(), [self = shared_from_this()] { return self->serve(); }, asio::detached);
  }

 private:
  void watch() {
    silence_.expires_after(fault == "timer-after-destruction" ? std::chrono::nanoseconds(2us) : 10s);
    if (fault == "use-after-cancel") {
      // Nothing keeps the session until this has run, which it does where it is cancelled too.
      silence_.async_wait([this](std::error_code) { silences_++; });
    } else if (fault == "timer-after-destruction") {
      // The end of a timer does not cancel what is queued already.
      silence_.async_wait([this](std::error_code error) {
        if (!error) silences_++;
      });
    } else {
      silence_.async_wait([weak = weak_from_this()](std::error_code error) {
        const auto self = weak.lock();
        if (!error && self) self->silences_++;
      });
    }
  }

  asio::awaitable<void> serve() {
    const auto self = shared_from_this();
    std::array<char, 8> bytes{};
    try {
      for (;;) {
        const std::size_t size = co_await socket_.async_read_some(asio::buffer(bytes), use_awaitable);
        if (fault == "lost-write") {
          // It may write less than all.
          co_await socket_.async_write_some(asio::buffer(bytes, size), use_awaitable);
        } else {
          co_await asio::async_write(socket_, asio::buffer(bytes, size), use_awaitable);
        }
      }
    } catch (const std::system_error &) {
      // The other end has no more.
    }
    silence_.cancel();
    // The socket closes it once more, or what has its number by then.
    if (fault == "double-close") ::close(socket_.native_handle());
    std::error_code error;
    socket_.close(error);
    assert(!error);
  }

  tcp::socket socket_;
  asio::steady_timer silence_;
  int silences_ = 0;
};

/// The acceptor is on a strand, on which it is closed too; connections are not.
asio::awaitable<void> listen(tcp::acceptor &acceptor, asio::io_context &context) {
  try {
    for (;;) std::make_shared<Session>(co_await acceptor.async_accept(context, use_awaitable))->start();
  } catch (const std::system_error &) {
    // The acceptor was closed.
  }
}

/// What the server replies, by way of an epoll instance that tells of edges.
std::string receive_by_edges(int descriptor, std::size_t size) {
  const int instance = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  epoll_ctl(instance, EPOLL_CTL_ADD, descriptor, &event);
  std::string received;
  while (received.size() < size) {
    epoll_wait(instance, &event, 1, -1);
    std::array<char, 2> bytes{};
    for (;;) {
      const ssize_t got = recv(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (got <= 0) break;
      received.append(bytes.data(), static_cast<std::size_t>(got));
      // More may be there, of which nobody tells again.
      if (fault == "missed-edge") break;
    }
  }
  ::close(instance);
  return received;
}

asio::awaitable<void> ask(tcp::endpoint server, int number, std::atomic<int> &left, tcp::acceptor &acceptor) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::socket socket(executor);
  co_await socket.async_connect(server, use_awaitable);
  asio::steady_timer pause(executor, std::chrono::microseconds(number));
  co_await pause.async_wait(use_awaitable);
  const std::string sent = "abc" + std::to_string(number);
  co_await asio::async_write(socket, asio::buffer(sent), use_awaitable);
  std::string reply(sent.size(), ' ');
  if (number == 0) {
    // As a client does that knows nothing of asio.
    reply = receive_by_edges(socket.native_handle(), sent.size());
  } else {
    co_await asio::async_read(socket, asio::buffer(reply), use_awaitable);
  }
  assert(reply == sent);
  // Shutdown: the last one closes the door.
  if (--left == 0 && fault != "shutdown-hangs") asio::post(acceptor.get_executor(), [&acceptor] { acceptor.close(); });
}

int echo() {
  asio::io_context context(2);
  tcp::acceptor acceptor(asio::make_strand(context), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const tcp::endpoint server = acceptor.local_endpoint();
  asio::co_spawn(acceptor.get_executor(), listen(acceptor, context), rethrow);
  std::atomic<int> left = kClients;
  for (int number = 0; number < kClients; number++) {
    asio::co_spawn(context, ask(server, number, left, acceptor), rethrow);
  }
  std::thread other([&] { context.run(); });
  context.run();
  other.join();
  return left == 0 ? 0 : 1;
}

using Pair = asio::local::stream_protocol;

/// Sends, unless it is the one that answers, and receives.
asio::awaitable<void> play(Pair::socket socket, bool begins, std::atomic<int> &received) {
  std::array<char, 1> byte{};
  for (int round = 0; round < kRounds; round++) {
    if (begins) co_await asio::async_write(socket, asio::buffer(byte), use_awaitable);
    co_await asio::async_read(socket, asio::buffer(byte), use_awaitable);
    received++;
    if (!begins) co_await asio::async_write(socket, asio::buffer(byte), use_awaitable);
  }
}

int ping_pong(int threads) {
  std::atomic<int> received = 0;
  asio::io_context context(threads);
  Pair::socket one(context);
  Pair::socket other(context);
  asio::local::connect_pair(one, other);
  asio::co_spawn(context, play(std::move(one), true, received), rethrow);
  asio::co_spawn(context, play(std::move(other), false, received), rethrow);
  std::thread helper;
  if (threads > 1) helper = std::thread([&] { context.run(); });
  context.run();
  if (helper.joinable()) helper.join();
  return received == 2 * kRounds ? 0 : 1;
}

}  // namespace

int main(int count, char **words) {
  fault = count > 1 ? words[1] : "";
  if (fault == "ping-pong") return ping_pong(1);
  return fault == "ping-pong-threads" ? ping_pong(2) : echo();
}
