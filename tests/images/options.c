// `getopt` and the environment are as at the start of a process, each time.
//
// ending: status 0
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(void) {
  char name[] = "program", option[] = "-n", value[] = "4";
  char *arguments[] = {name, option, value, 0};
  int seen = 0;
  while (getopt(3, arguments, "n:") == 'n') seen = atoi(optarg);
  if (seen != 4 || getenv("OF_THIS_PROGRAM")) return 1;
  setenv("OF_THIS_PROGRAM", "1", 1);
  setenv("PATH", "nowhere", 1);
  return strcmp(getenv("PATH"), "nowhere") != 0;
}
