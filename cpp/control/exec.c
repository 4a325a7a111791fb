/* `execl` and its kin, whose arguments come one by one: on a thread under control each is refused by its name
 * (src/control/hooks/refused.rs), and otherwise it is the function that takes an array of them. Never instrumented. */
#define _GNU_SOURCE
#include <alloca.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

/* Does not return on a thread under control. */
void threadbare_refuse(const char *name);

static size_t count(va_list arguments) {
  size_t number = 1;
  while (va_arg(arguments, char *) != NULL) ++number;
  return number;
}

static void collect(char **all, const char *first, va_list arguments) {
  *all = (char *)first;
  while (*all != NULL) *++all = va_arg(arguments, char *);
}

/* `then` reads what comes after the arguments. */
#define EXEC(name, call, then)                                                                              \
  int name(const char *path, const char *first, ...) {                                                      \
    threadbare_refuse(#name);                                                                               \
    va_list arguments;                                                                                      \
    va_start(arguments, first);                                                                             \
    char **const all = alloca((first == NULL ? 1 : count(arguments) + 1) * sizeof *all);                     \
    va_end(arguments);                                                                                      \
    va_start(arguments, first);                                                                             \
    collect(all, first, arguments);                                                                         \
    then;                                                                                                   \
    va_end(arguments);                                                                                      \
    return call;                                                                                            \
  }

EXEC(execl, execv(path, all), )
EXEC(execlp, execvp(path, all), )
EXEC(execle, execve(path, all, environment), char *const *const environment = va_arg(arguments, char *const *))
