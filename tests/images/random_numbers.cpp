// The system's random numbers are the same in every execution, wherever they come from, other ones for each thread, and
// none comes twice: a schedule that another engine recorded fits.
//
// ending: status 0
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cassert>
#include <cstdio>
#include <fstream>
#include <random>
#include <set>
#include <thread>

namespace {

std::atomic<unsigned> sum;

// Takes another way for each number, so that one that differed from execution to execution would show in the steps.
void use(unsigned long long number) {
  for (unsigned rounds = number % 5; rounds > 0; rounds--) sum.fetch_add(1);
}

void draw(std::set<unsigned long long> &seen) {
  auto take = [&](unsigned long long number) {
    assert(seen.insert(number).second);
    use(number);
  };
  std::random_device device;
  take(device());
  take(device());
  unsigned long long number = 0;
  assert(getrandom(&number, sizeof number, 0) == sizeof number);
  take(number);
  assert(getentropy(&number, sizeof number) == 0);
  take(number);
  assert(syscall(SYS_getrandom, &number, sizeof number, 0) == sizeof number);
  take(number);
  for (int i = 0; i < 2; i++) {
    int file = open("/dev/urandom", O_RDONLY);
    assert(file >= 0 && read(file, &number, sizeof number) == sizeof number);
    close(file);
    take(number);
  }
  std::ifstream stream("/dev/random");
  stream.read(reinterpret_cast<char *>(&number), sizeof number);
  assert(stream.good());
  take(number);
  FILE *file = fopen("/dev/urandom", "rb");
  assert(file != nullptr && fread(&number, sizeof number, 1, file) == 1);
  fclose(file);
  take(number);
#if __GLIBC_PREREQ(2, 36)
  take(arc4random());
  arc4random_buf(&number, sizeof number);
  take(number);
  assert(arc4random_uniform(7) < 7);
#endif
}

}  // namespace

int main() {
  std::set<unsigned long long> mine, others;
  std::thread other([&] { draw(others); });
  draw(mine);
  other.join();
  mine.insert(others.begin(), others.end());
  assert(mine.size() == 2 * others.size());
}
