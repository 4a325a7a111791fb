// Two threads that write and read by edges alone, as epoll(7) lets them: who transferred less than it asked for waits for the
// next edge.
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 64 };

static int ends[2];

static int watch(int descriptor, unsigned events) {
  const int instance = epoll_create1(0);
  struct epoll_event event = {.events = events | EPOLLET};
  assert(epoll_ctl(instance, EPOLL_CTL_ADD, descriptor, &event) == 0);
  return instance;
}

static void wait_for_edge(int instance) {
  struct epoll_event event;
  assert(epoll_wait(instance, &event, 1, -1) == 1);
}

static void *writes(void *argument) {
  const char bytes[SIZE] = {0};
  const int instance = watch(ends[0], EPOLLOUT);
  for (size_t written = 0; written < SIZE;) {
    wait_for_edge(instance);
    const ssize_t size = send(ends[0], bytes, SIZE - written, MSG_DONTWAIT);
    assert(size > 0 || errno == EAGAIN);
    if (size > 0) written += (size_t)size;
  }
  close(instance);
  return argument;
}

static void *reads(void *argument) {
  char bytes[SIZE];
  const int instance = watch(ends[1], EPOLLIN);
  for (size_t read = 0; read < SIZE;) {
    wait_for_edge(instance);
    const ssize_t size = recv(ends[1], bytes, SIZE, MSG_DONTWAIT);
    assert(size > 0 || errno == EAGAIN);
    if (size > 0) read += (size_t)size;
  }
  close(instance);
  return argument;
}

int main(void) {
  assert(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, writes, NULL);
  pthread_create(&threads[1], NULL, reads, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 2; i++) close(ends[i]);
}
