//! Functions that could block, escape control or draw random names, and are not emulated: under control each ends the
//! execution with its name, rather than hang it.

use crate::control::active::active;
use crate::control::real::real;

/// A hook for a function of at most six arguments, all of which are integers or pointers.
macro_rules! refuse {
    ($($name:ident)*) => {$(
        #[doc = concat!("Stands in for `", stringify!($name), "`, refused under control.")]
        ///
        /// # Safety
        /// That of the function. On the targets we support six words are passed the same way as fewer.
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name(a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> usize {
            if let Some(active) = active() {
                active.refuse(stringify!($name));
            }
            // SAFETY: passed on unchanged.
            unsafe { real!($name: fn(usize, usize, usize, usize, usize, usize) -> usize)(a, b, c, d, e, f) }
        }
    )*};
}

refuse! {
    pthread_rwlock_rdlock pthread_rwlock_wrlock pthread_rwlock_timedrdlock pthread_rwlock_timedwrlock
    pthread_rwlock_clockrdlock pthread_rwlock_clockwrlock
    pthread_barrier_wait pthread_spin_lock
    sem_wait sem_timedwait sem_clockwait
    mtx_lock mtx_timedlock cnd_wait cnd_timedwait thrd_create thrd_join thrd_sleep call_once
    pthread_timedjoin_np pthread_tryjoin_np pthread_clockjoin_np
    pthread_exit pthread_cancel pthread_kill
    poll ppoll select pselect epoll_wait epoll_pwait
    telldir seekdir readdir_r readdir64_r
    mkstemp mkstemp64 mkostemp mkostemp64 mkstemps mkstemps64 mkostemps mkostemps64 mkdtemp
    tmpfile tmpfile64 freopen freopen64
    fork sigwait sigwaitinfo pause
}
