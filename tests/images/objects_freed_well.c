// Objects that are freed as early as they may be: by who comes last, as they themselves say. What is freed is used again.
//
// ending: status 0
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

struct counted {
  pthread_mutex_t mutex;
  int owners;
};

struct gate {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int open;
};

struct all {
  struct counted *counted;
  struct gate *gate;
  sem_t *semaphore;
  pthread_barrier_t *barrier;
  pthread_rwlock_t *rwlock;
  pthread_spinlock_t *spin;
  int spin_owners;
};

static void drop(struct counted *counted) {
  pthread_mutex_lock(&counted->mutex);
  const int left = --counted->owners;
  pthread_mutex_unlock(&counted->mutex);
  if (left > 0) return;
  pthread_mutex_destroy(&counted->mutex);
  free(counted);
}

static void drop_spin(struct all *all) {
  pthread_spin_lock(all->spin);
  const int left = --all->spin_owners;
  pthread_spin_unlock(all->spin);
  if (left > 0) return;
  pthread_spin_destroy(all->spin);
  free((void *)all->spin);
}

static void *work(void *argument) {
  struct all *all = argument;
  // Notified with the mutex held, so who waits goes on after this is done.
  pthread_mutex_lock(&all->gate->mutex);
  all->gate->open = 1;
  pthread_cond_broadcast(&all->gate->changed);
  pthread_mutex_unlock(&all->gate->mutex);
  drop(all->counted);
  pthread_rwlock_rdlock(all->rwlock);
  pthread_rwlock_unlock(all->rwlock);
  drop_spin(all);
  sem_post(all->semaphore);
  if (pthread_barrier_wait(all->barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
    pthread_barrier_destroy(all->barrier);
    free(all->barrier);
  }
  return NULL;
}

int main(void) {
  struct all *all = calloc(1, sizeof *all);
  all->counted = malloc(sizeof *all->counted);
  pthread_mutex_init(&all->counted->mutex, NULL);
  all->counted->owners = 2;
  all->gate = malloc(sizeof *all->gate);
  *all->gate = (struct gate){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
  all->semaphore = malloc(sizeof *all->semaphore);
  sem_init(all->semaphore, 0, 0);
  all->barrier = malloc(sizeof *all->barrier);
  pthread_barrier_init(all->barrier, NULL, 2);
  all->rwlock = calloc(1, sizeof *all->rwlock);
  all->spin = malloc(sizeof *all->spin);
  pthread_spin_init(all->spin, 0);
  all->spin_owners = 2;
  pthread_t thread;
  pthread_create(&thread, NULL, work, all);

  struct gate *gate = all->gate;
  pthread_mutex_lock(&gate->mutex);
  while (!gate->open) pthread_cond_wait(&gate->changed, &gate->mutex);
  pthread_mutex_unlock(&gate->mutex);
  pthread_cond_destroy(&gate->changed);
  pthread_mutex_destroy(&gate->mutex);
  free(gate);
  // May get the same memory, which is as new.
  struct counted *other = calloc(1, sizeof *gate);
  pthread_mutex_lock(&other->mutex);
  other->owners = 1;
  pthread_mutex_unlock(&other->mutex);
  drop(other);
  drop(all->counted);
  drop_spin(all);
  sem_wait(all->semaphore);
  sem_destroy(all->semaphore);
  free(all->semaphore);
  pthread_rwlock_destroy(all->rwlock);
  free(all->rwlock);
  if (pthread_barrier_wait(all->barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
    pthread_barrier_destroy(all->barrier);
    free(all->barrier);
  }
  pthread_join(thread, NULL);
  free(all);
}
