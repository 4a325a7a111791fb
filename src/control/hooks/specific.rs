//! Thread-specific data: keys that were made under control, or by the constructors of a runtime, have a value per virtual thread.
//! Other keys, those of sanitizers' runtimes among them, are passed through.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::control::active::{Active, active};
use crate::control::real::real;
use crate::control::state::specific::{Destructor, FIRST, Key, Specific, Value, create_lasting, index_of, system_key};

/// A runtime is being loaded, whose constructors run outside of executions.
static LOADING: AtomicBool = AtomicBool::new(false);

/// For as long as this lives, keys that are made are there in each execution, with a value per virtual thread.
pub(in crate::control) struct LastingKeys(());

impl LastingKeys {
    pub fn begin() -> Self {
        LOADING.store(true, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for LastingKeys {
    fn drop(&mut self) {
        LOADING.store(false, Ordering::Relaxed);
    }
}

/// Stands for the destructor of a key without one.
unsafe extern "C-unwind" fn keep(_value: *mut c_void) {}

/// Whether libstdc++ is where a destructor lies.
fn is_of_libstdcxx(destructor: Destructor) -> bool {
    unsafe extern "C" {
        /// libstdc++'s `std::terminate`.
        fn _ZSt9terminatev();
    }
    let base = |address: *const c_void| {
        // SAFETY: `Dl_info` may be all zeros, and the call fills it.
        unsafe {
            let mut info: libc::Dl_info = std::mem::zeroed();
            (libc::dladdr(address, &raw mut info) != 0).then_some(info.dli_fbase)
        }
    };
    base(destructor as *const c_void).is_some_and(|own| Some(own) == base(_ZSt9terminatev as *const c_void))
}

/// Whether an address is in the program under check, which is quicker to tell.
fn is_of_program(active: Option<&Active>, destructor: Destructor) -> bool {
    let image = active.and_then(|active| active.image.get());
    image.is_some_and(|image| image.contains(destructor as *const () as usize))
}

/// Makes a key that is not the system's; `None` if there are too many.
pub(super) fn create(active: &Active, destructor: Option<Destructor>) -> Option<Key> {
    active.ask(|controller| controller.keys.create(destructor))
}

/// The execution that a key belongs to; `None` for the system's own.
fn active_for(key: Key) -> Option<&'static Active> {
    active().filter(|_| key >= FIRST)
}

fn of_thread(active: &Active) -> &Specific {
    &active.engine.thread(active.current()).specific
}

fn delete(active: &Active, key: Key) -> c_int {
    active.ask(|controller| controller.keys.delete(index_of(key)))
}

fn generation(active: &Active, key: Key) -> Option<u32> {
    active.ask(|controller| controller.keys.entry(index_of(key))).map(|entry| entry.generation)
}

fn get(active: &Active, key: Key) -> *mut c_void {
    let known = of_thread(active).get(index_of(key));
    if generation(active, key) == Some(known.generation) { known.value } else { std::ptr::null_mut() }
}

fn set(active: &Active, key: Key, value: *mut c_void) -> c_int {
    let Some(generation) = generation(active, key) else { return libc::EINVAL };
    of_thread(active).set(index_of(key), Value { generation, value });
    0
}

/// Stands in for `pthread_key_create`.
///
/// # Safety
/// That of the function. The same holds for the others below.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn pthread_key_create(key: *mut Key, destructor: Option<Destructor>) -> c_int {
    let made = match (active(), destructor) {
        (active, Some(destructor)) if !is_of_program(active, destructor) && is_of_libstdcxx(destructor) => {
            create_lasting(destructor)
        }
        (None, destructor) if LOADING.load(Ordering::Relaxed) => create_lasting(destructor.unwrap_or(keep)),
        (Some(active), _) => create(active, destructor),
        // SAFETY: passed on unchanged.
        _ => return unsafe { real!(pthread_key_create: fn(*mut Key, Option<Destructor>) -> c_int)(key, destructor) },
    };
    let Some(made) = made else { return libc::EAGAIN };
    // SAFETY: the caller's promise.
    unsafe { *key = made };
    0
}

/// Hooks for functions of keys, POSIX's and C11's: `name(key, arguments) -> result = what happens to keys of ours`.
macro_rules! of_keys {
    ($($name:ident($key:ident $(, $argument:ident: $type:ty)*) $(-> $result:ty)? = |$active:ident| $emulated:expr;)*) => {$(
        #[doc = concat!("Stands in for `", stringify!($name), "`.")]
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name($key: Key $(, $argument: $type)*) $(-> $result)? {
            match active_for($key) {
                Some($active) => $emulated,
                // SAFETY: passed on unchanged.
                None => unsafe { real!($name: fn(Key $(, $type)*) $(-> $result)?)(system_key($key) $(, $argument)*) },
            }
        }
    )*};
}

of_keys! {
    pthread_key_delete(key) -> c_int = |active| delete(active, key);
    pthread_getspecific(key) -> *mut c_void = |active| get(active, key);
    pthread_setspecific(key, value: *mut c_void) -> c_int = |active| set(active, key, value);
    tss_delete(key) = |active| { delete(active, key); };
    tss_get(key) -> *mut c_void = |active| get(active, key);
    tss_set(key, value: *mut c_void) -> c_int = |active| super::c11::status(set(active, key, value));
}
