/* Tells signals that another process sends to a worker from those that the worker brings upon itself: the first say nothing
 * about the target. Never instrumented. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

/* libc's own, behind hooks and interceptors, which would take the handler for the target's. */
static int (*change)(int, const struct sigaction *, struct sigaction *);
static int (*again)(int);
static void (*leave)(int);
static ssize_t (*print)(int, const void *, size_t);

/* Where the target lies whose faults are told, and how many calls of a stack are. */
static const char *target;
static uintptr_t target_begin, target_end;
enum { MAX_CALLS = 16 };

static struct sigaction before[NSIG];
static pid_t self;
static int code;

static int is_fault(int number) {
  return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL;
}

static int find_functions(void) {
  void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  if (libc == NULL)
    return 0;
  *(void **)&change = dlsym(libc, "sigaction");
  *(void **)&again = dlsym(libc, "raise");
  *(void **)&leave = dlsym(libc, "_exit");
  *(void **)&print = dlsym(libc, "write");
  return change != NULL && again != NULL && leave != NULL && print != NULL;
}

static void tell_call(int number, uintptr_t address) {
  char line[4200];
  int length = snprintf(line, sizeof line, "    #%d 0x%lx %s+0x%lx\n", number, (unsigned long)address, target,
                        (unsigned long)(address - target_begin));
  if (length > 0 && (size_t)length < sizeof line)
    print(2, line, (size_t)length);
}

/* Prints the target's own calls that led to a fault, as the sanitizers do: all of it is compiled with frame pointers. */
static void tell_fault(const ucontext_t *context) {
#if defined(__x86_64__)
  uintptr_t address = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
  uintptr_t frame = (uintptr_t)context->uc_mcontext.gregs[REG_RBP];
#elif defined(__aarch64__)
  uintptr_t address = context->uc_mcontext.pc, frame = context->uc_mcontext.regs[29];
#endif
  int told = 0;
  for (int calls = 0; calls < 4 * MAX_CALLS && told < MAX_CALLS; ++calls) {
    if (address >= target_begin && address < target_end)
      tell_call(told++, address);
    /* The caller's frame and where it goes on; the kernel looks whether they can be read. */
    uintptr_t caller[2];
    struct iovec here = {caller, sizeof caller}, there = {(void *)frame, sizeof caller};
    if (process_vm_readv(getpid(), &here, 1, &there, 1, 0) != (ssize_t)sizeof caller || caller[0] <= frame)
      return;
    frame = caller[0];
    /* Inside the call, not behind it. */
    address = caller[1] - 1;
  }
}

/* From now on a fault says where in the object of that path, which lies there, it happened. The path must stay. */
void threadbare_tell_faults_of(const char *path, uintptr_t begin, uintptr_t end) {
  if (!find_functions())
    return;
  target = path;
  target_begin = begin;
  target_end = end;
}

static void handle(int number, siginfo_t *info, void *context) {
  int is_sent = info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL;
  if (is_sent && info->si_pid != self)
    leave(code);
  if (!is_sent && is_fault(number) && target != NULL)
    tell_fault(context);
  /* It meets who handled it before: a fault happens again, and what was raised is raised again. */
  change(number, &before[number], NULL);
  if (is_sent || !is_fault(number))
    again(number);
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
