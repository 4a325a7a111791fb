/* Tells signals that another process sends to a worker from those that the worker brings upon itself: the first say nothing
 * about the target. Never instrumented. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

/* libc's own, behind hooks and interceptors, which would take the handler for the target's. */
static int (*change)(int, const struct sigaction *, struct sigaction *);
static int (*again)(int);
static void (*leave)(int);

static struct sigaction before[NSIG];
static pid_t self;
static int code;

static int is_fault(int number) {
  return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL;
}

static void handle(int number, siginfo_t *info, void *context) {
  (void)context;
  int is_sent = info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL;
  if (is_sent && info->si_pid != self)
    leave(code);
  /* It meets who handled it before: a fault happens again, and what was raised is raised again. */
  change(number, &before[number], NULL);
  if (is_sent || !is_fault(number))
    again(number);
}

static int find_functions(void) {
  void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  if (libc == NULL)
    return 0;
  *(void **)&change = dlsym(libc, "sigaction");
  *(void **)&again = dlsym(libc, "raise");
  *(void **)&leave = dlsym(libc, "_exit");
  return change != NULL && again != NULL && leave != NULL;
}

/* A fault ends the process from now on. Rust's own handler makes it do so by a call of sigaction, which is the target's once
 * that is under control, so that the fault would come again and again. */
void threadbare_die_of_faults(void) {
  static const int faults[] = {SIGSEGV, SIGBUS};
  if (!find_functions())
    return;
  for (unsigned index = 0; index < sizeof faults / sizeof *faults; ++index) {
    struct sigaction now, standard = {.sa_handler = SIG_DFL};
    if (change(faults[index], NULL, &now) != 0)
      continue;
    if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == handle)
      before[faults[index]] = standard;
    else
      change(faults[index], &standard, NULL);
  }
}

/* From now on the process ends with that exit code when another one sends it a signal that would end it. */
void threadbare_watch_for_outsiders(int exit_code) {
  if (!find_functions())
    return;
  self = getpid();
  code = exit_code;
  static const int harmless[] = {SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGCHLD, SIGWINCH, SIGURG};
  for (int number = 1; number < NSIG; ++number) {
    int is_harmless = 0;
    for (unsigned index = 0; index < sizeof harmless / sizeof *harmless; ++index)
      is_harmless |= harmless[index] == number;
    /* Those of glibc itself cannot be asked for. */
    if (is_harmless || change(number, NULL, &before[number]) != 0)
      continue;
    int is_ignored = !(before[number].sa_flags & SA_SIGINFO) && before[number].sa_handler == SIG_IGN;
    if (is_ignored)
      continue;
    struct sigaction ours = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    change(number, &ours, NULL);
  }
}
