// `abort` ends the program without its handlers.
//
// ending: aborted
#include <stdlib.h>
#include <unistd.h>

static void at_exit(void) { _exit(1); }

int main(void) {
  atexit(at_exit);
  abort();
}
