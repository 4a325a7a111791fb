// Constructors run before main in every execution; at its end, destructors and exit handlers run, the last one first.
// The last of all tells the order that it saw.
//
// ending: status 42
#include <cassert>
#include <cstdlib>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

std::string &steps() {
  static auto *text = new std::string;  // Outlives what is destroyed at exit.
  return *text;
}

struct Last {
  ~Last() { _exit(steps() == "CcmLAaBbSsgD" ? 42 : 1); }
} last;

struct Noted {
  explicit Noted(char made, char gone) : gone(gone) { steps() += made; }
  ~Noted() { steps() += gone; }
  Noted(const Noted &) = delete;
  Noted &operator=(const Noted &) = delete;
  char gone;
};

Noted global('C', 'D');
std::map<int, std::string> names{{1, "one"}, {2, "a name that is too long to be stored in the string itself"}};
std::vector<int> numbers(3, 7);
const int at_start = [] {
  steps() += 'c';
  return static_cast<int>(names.size() + numbers.size());
}();

Noted &of_function() {
  static Noted noted('L', 's');
  return noted;
}

}  // namespace

int main() {
  assert(at_start == 5 && names.at(1) == "one" && numbers[2] == 7);
  steps() += 'm';
  std::atexit([] { steps() += 'g'; });
  of_function();
  std::atexit([] { steps() += 'S'; });
  std::atexit([] {
    steps() += 'B';
    std::atexit([] { steps() += 'b'; });
  });
  std::atexit([] {
    steps() += 'A';
    std::atexit([] { steps() += 'a'; });
  });
  names.clear();
  numbers.push_back(1);
  return 0;
}
