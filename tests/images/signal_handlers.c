// Handlers as their flags say: what they block, that they are of one use, what they are told, and which calls they end.
//
// ending: status 0
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

static atomic_int calls;
static sem_t semaphore;

static int is_blocked(int signal) {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, 0, &mask);
  return sigismember(&mask, signal) == 1;
}

static void count(int signal) {
  (void)signal;
  calls++;
}

static void nested(int signal) {
  assert(is_blocked(signal) && is_blocked(SIGUSR2));
  raise(SIGUSR2); /* Waits until this one returns. */
  assert(calls == 0);
}

static void informed(int signal, siginfo_t *information, void *context) {
  assert(context != 0 && information->si_signo == signal && information->si_pid == getpid());
  assert(information->si_code == SI_USER);
  calls++;
}

static void install(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  sigaddset(&action.sa_mask, SIGUSR2);
  assert(sigaction(signal, &action, 0) == 0);
}

static void masks_and_flags(void) {
  install(SIGUSR2, count, 0);
  install(SIGUSR1, nested, 0);
  raise(SIGUSR1);
  assert(calls == 1 && !is_blocked(SIGUSR1) && !is_blocked(SIGUSR2));
  install(SIGUSR1, count, SA_RESETHAND);
  raise(SIGUSR1);
  struct sigaction action;
  sigaction(SIGUSR1, 0, &action);
  assert(calls == 2 && action.sa_handler == SIG_DFL);
  action.sa_sigaction = informed;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGUSR1, &action, 0);
  kill(getpid(), SIGUSR1);
  assert(calls == 3);
  signal(SIGUSR1, SIG_IGN);
  raise(SIGUSR1);
  raise(SIGCHLD);
  assert(calls == 3);
  assert(signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL);
}

static void *wait_for_it(void *argument) {
  (void)argument;
  assert(sem_wait(&semaphore) == -1 && errno == EINTR);
  struct timespec time = {0, 1000};
  while (nanosleep(&time, &time) == -1) assert(errno == EINTR);
  return 0;
}

static void interrupted(void) {
  calls = 0;
  install(SIGUSR1, count, 0);
  pthread_t thread;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sem_init(&semaphore, 0, 0);
  pthread_create(&thread, 0, wait_for_it, 0);
  /* It may come before the wait, which is then not interrupted: again and again, as real programs do. */
  while (pthread_tryjoin_np(thread, 0) == EBUSY) {
    pthread_kill(thread, SIGUSR1);
    sched_yield();
  }
  assert(calls > 0);
}

static void suspended(void) {
  sigset_t set, none;
  sigemptyset(&none);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, 0);
  calls = 0;
  raise(SIGUSR1);
  assert(calls == 0);
  assert(sigsuspend(&none) == -1 && errno == EINTR && calls == 1 && is_blocked(SIGUSR1));
  struct timespec moment = {0, 1000};
  assert(sigtimedwait(&set, 0, &moment) == -1 && errno == EAGAIN);
  raise(SIGUSR1);
  assert(sigwaitinfo(&set, 0) == SIGUSR1);
}

int main(void) {
  masks_and_flags();
  interrupted();
  suspended();
  return 0;
}
