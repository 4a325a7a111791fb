// Boost.Asio. Blocks are not kept for reuse, since that hides the use of freed ones from AddressSanitizer.
#define BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE 0

#if !__has_include(<boost/asio.hpp>)
#error "threadbare: Boost.Asio is not installed; on Debian: apt-get install libboost1.81-dev"
#endif
#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>

namespace net = ::boost::asio;
namespace threadbare::asio_adapter {
using error_code = ::boost::system::error_code;
}

#include "adapters/asio/adapter.hpp"

THREADBARE_RUNTIME(threadbare::asio_adapter::Adapter)
