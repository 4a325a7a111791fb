// Variables hold their first values at the start of every execution, whatever the one before left in them.
//
// ending: status 0
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct Node {
  struct Node *next;
  int value;
};

static int zeros[1000];
static int numbers[] = {3, 1, 4};
static const char *text = "first";
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct Node *list;

static int next_number(void) {
  static int last = 100;
  return ++last;
}

static void *append(void *argument) {
  struct Node *node = malloc(sizeof *node);
  pthread_mutex_lock(&lock);
  *node = (struct Node){list, numbers[1]++};
  list = node;
  zeros[next_number() % 1000] = 1;
  pthread_mutex_unlock(&lock);
  return argument;
}

int main(int argc, char **argv) {
  assert(argc == 1 && argv[0] != NULL && argv[1] == NULL);
  argv[0] = NULL;
  for (int i = 0; i < 1000; i++) assert(zeros[i] == 0);
  assert(numbers[0] == 3 && numbers[1] == 1 && numbers[2] == 4 && text[0] == 'f' && list == NULL);
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, append, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  assert(next_number() == 103);
  assert(list != NULL && list->value == 2 && list->next->value == 1 && list->next->next == NULL);
  text = "changed";
  pthread_mutex_lock(&lock);  // Left locked: the next execution has it as new.
  return 0;
}
