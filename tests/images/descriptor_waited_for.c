// A loop of edges that stops reading too early waits for ever, and what it waits for is named.
//
// ending: status 0
// ending: stuck: 0 in epoll_wait
#include <pthread.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int pair[2];

static void *send_twice(void *argument) {
  for (int i = 0; i < 2; i++) {
    if (send(pair[1], "x", 1, MSG_NOSIGNAL) != 1) return NULL;
  }
  return argument;
}

int main(void) {
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0) return 2;
  const int instance = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN | EPOLLET};
  if (epoll_ctl(instance, EPOLL_CTL_ADD, pair[0], &event) != 0) return 3;
  pthread_t thread;
  pthread_create(&thread, NULL, send_twice, NULL);
  for (int received = 0; received < 2; received++) {
    char byte;
    if (epoll_wait(instance, &event, 1, -1) != 1 || read(pair[0], &byte, 1) != 1) return 4;
  }
  pthread_join(thread, NULL);
  close(instance);
  return 0;
}
