// Standalone asio. Blocks are not kept for reuse, since that hides the use of freed ones from AddressSanitizer; of 1.22,
// ASIO_DISABLE_SMALL_BLOCK_RECYCLING does not compile.
#define ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE 0
// It looks for the coroutines that clang had before C++20.
#define ASIO_HAS_CO_AWAIT 1
#define ASIO_HAS_STD_COROUTINE 1

#if !__has_include(<asio.hpp>)
#error "threadbare: asio is not installed; on Debian: apt-get install libasio-dev"
#endif
#include <asio.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/experimental/concurrent_channel.hpp>

namespace net = ::asio;
namespace threadbare::asio_adapter {
using error_code = ::asio::error_code;
}

#include "adapters/asio/adapter.hpp"

THREADBARE_RUNTIME(threadbare::asio_adapter::Adapter)
