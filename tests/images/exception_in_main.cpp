// An exception that leaves main ends the program; those that were caught before do not.
//
// ending: exception std::out_of_range
#include <stdexcept>
#include <string>

int main() {
  try {
    throw std::runtime_error("caught");
  } catch (const std::exception &) {
  }
  return std::string("a").at(2);
}
