// What is used after it was destroyed, of every kind but mutexes, and what lay in a frame that is gone.
//
// executions: 300
// ending: status 0
// ending: misuse by thread 1: pthread_cond_signal on an object that was destroyed or never initialised
// ending: misuse by thread 1: pthread_rwlock_rdlock on an object that was destroyed or never initialised
// ending: misuse by thread 1: sem_post on an object that was destroyed or never initialised
// ending: misuse by thread 1: pthread_spin_lock on an object that was destroyed or never initialised
// ending: misuse by thread 1: pthread_barrier_wait on an object that was destroyed or never initialised
// ending: misuse by thread 1: cnd_broadcast on an object that was destroyed or never initialised
// ending: dangling in thread 1: pthread_mutex_lock in the frame of a function that has returned
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <threads.h>

static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static cnd_t c11_condition;
static pthread_mutex_t *volatile mutex;
static atomic_int which;

static void *use(void *argument) {
  switch (atomic_load(&which)) {
    case 1: pthread_cond_signal(&condition); break;
    case 2: pthread_rwlock_rdlock(&rwlock); break;
    case 3: sem_post(&semaphore); break;
    case 4: pthread_spin_lock(&spin); break;
    case 5: pthread_barrier_wait(&barrier); break;
    case 6: cnd_broadcast(&c11_condition); break;
    case 7: pthread_mutex_lock(mutex); break;
  }
  return argument;
}

__attribute__((noinline)) static void leave_behind(void) {
  pthread_mutex_t local[200];  // Below the frames of what is called later.
  pthread_mutex_init(local, NULL);
  mutex = local;
}

int main(void) {
  // All can be used anew once they are initialised again.
  for (int i = 0; i < 2; i++) {
    sem_init(&semaphore, 0, 1);
    sem_wait(&semaphore);
    sem_destroy(&semaphore);
    pthread_cond_init(&condition, NULL);
    pthread_cond_signal(&condition);
    pthread_cond_destroy(&condition);
    pthread_rwlock_init(&rwlock, NULL);
    pthread_rwlock_wrlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    pthread_rwlock_destroy(&rwlock);
    pthread_spin_init(&spin, 0);
    pthread_spin_lock(&spin);
    pthread_spin_unlock(&spin);
    pthread_spin_destroy(&spin);
    pthread_barrier_init(&barrier, NULL, 1);
    pthread_barrier_wait(&barrier);
    pthread_barrier_destroy(&barrier);
    cnd_init(&c11_condition);
    cnd_broadcast(&c11_condition);
    cnd_destroy(&c11_condition);
  }
  leave_behind();
  pthread_t thread;
  pthread_create(&thread, NULL, use, NULL);
  for (int i = 1; i <= 7; i++) atomic_store(&which, i);
  pthread_join(thread, NULL);
}
