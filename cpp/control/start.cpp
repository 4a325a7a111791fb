// How an execution of a program under check begins: what the C and C++ libraries keep of it is put back, its constructors
// run, and then `main`. Never instrumented.
#include <cxxabi.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <vector>

namespace {

/// With the null pointer at its end.
std::vector<char *> copy_of(char *const *pointers) {
  char *const *end = pointers;
  while (*end != nullptr) ++end;
  return {pointers, end + 1};
}

/// Bytes of the state that glibc begins with, which make its generator what it is.
constexpr std::size_t RANDOM_STATE = 128;

}  // namespace

extern "C" {

/// Makes what the C and C++ libraries keep of a program under check as it is when a process starts.
void threadbare_renew_libraries() {
  static const std::terminate_handler terminate = std::get_terminate();
  // To look is cheaper than to set.
  if (std::get_terminate() != terminate) std::set_terminate(terminate);
  // What `rand` and `random` go on from is kept here, so that one can see whether it was used: to seed it takes long.
  static char random_state[RANDOM_STATE];
  static char fresh_state[RANDOM_STATE];
  if (random_state[0] == 0 || std::memcmp(random_state, fresh_state, RANDOM_STATE) != 0) {
    initstate(1, random_state, RANDOM_STATE);
    std::memcpy(fresh_state, random_state, RANDOM_STATE);
  }
  unsigned short zeros[3] = {};
  seed48(zeros);
  // 0 makes glibc's `getopt` begin anew.
  optind = 0;
  opterr = 1;
  // `setenv` and `putenv` write into the array.
  static const std::vector<char *> environment = copy_of(environ);
  static std::vector<char *> current;
  current = environment;
  environ = current.data();
}

/// Runs a program under check: its constructors and then `main`. An exception that leaves it terminates the program.
int threadbare_start(void (*const *constructors)(int, char **, char **), std::size_t count,
                     int (*main)(int, char **, char **), int argc, char **argv, char **environment) {
  try {
    for (std::size_t i = 0; i < count; ++i) constructors[i](argc, argv, environment);
    return main(argc, argv, environment);
  } catch (const abi::__forced_unwind &) {
    throw;  // The main thread ends, the program does not.
  } catch (...) {
    std::terminate();
  }
}
}
