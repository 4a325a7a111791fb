// `_exit` ends the program without its handlers, and only the last 8 bits of the status count.
//
// ending: status 3
#include <stdlib.h>
#include <unistd.h>

static void at_exit(void) { abort(); }

int main(void) {
  atexit(at_exit);
  _exit(0x703);
}
