//! What `check --strategy exhaustive` claims when its search has come to its end.

use crate::command::Workplace;

/// g++ under AddressSanitizer has no scheduling point at `first` and `second`, so that one outcome is never seen there.
const DARK: &str = "#include <pthread.h>\n\
    static int first, second;\n\
    static void *set(void *unused) {\n\
      first = 1;\n\
      second = 1;\n\
      return unused;\n\
    }\n\
    int main(void) {\n\
      pthread_t thread;\n\
      pthread_create(&thread, 0, set, 0);\n\
      const int seen = first, then = second;\n\
      pthread_join(thread, 0);\n\
      return seen > then;\n\
    }\n";

/// `main` reads what another thread writes, which lies on the stack of `main`; under a lock if there is one.
const ON_STACK: &str = "#include <pthread.h>\n\
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;\n\
    static void *set(void *shared) {\n\
      LOCK;\n\
      *(int *)shared = 1;\n\
      UNLOCK;\n\
      return shared;\n\
    }\n\
    int main(void) {\n\
      int shared = 0;\n\
      pthread_t thread;\n\
      pthread_create(&thread, 0, set, &shared);\n\
      LOCK;\n\
      const int seen = shared, then = shared;\n\
      UNLOCK;\n\
      pthread_join(thread, 0);\n\
      return seen != then;\n\
    }\n";

/// What is said of the search, and what the JSON has of it.
fn claim(place: &Workplace, words: &str) -> (String, serde_json::Value) {
    let ran = place.run(&format!("check {words} --strategy exhaustive --executions 500 --json out.json"));
    (ran.stdout, place.json("out.json")["runs"][0].clone())
}

#[test]
fn a_search_that_cannot_see_all_accesses_does_not_claim_every_schedule() {
    let place = Workplace::new();
    place.write("dark.c", DARK);
    let (said, run) = claim(&place, "dark.c --engine threads --cxx g++ --sanitizer none");
    assert!(said.contains("none: every schedule was tried"), "{said}");
    assert!(run["exhausted"] == true && run["findings"].as_u64() > Some(0), "{run}");
    let (said, run) = claim(&place, "dark.c --engine threads --cxx g++ --sanitizer address");
    assert!(
        said.contains(
            "not every schedule was tried: with this compiler, accesses that AddressSanitizer does not check"
        ),
        "{said}"
    );
    assert_eq!((&run["exhausted"], &run["search_ended"]), (&false.into(), &true.into()));
    assert_eq!(run["left_out"]["unseen"]["unchecked"], true);
    let (said, run) = claim(&place, "dark.c --sanitizer none --points sync");
    assert!(said.contains("not every schedule was tried: plain accesses are no scheduling points"), "{said}");
    assert_eq!((&run["exhausted"], &run["left_out"]["unseen"]["plain"]), (&false.into(), &true.into()));
}

#[test]
fn accesses_of_a_thread_to_its_own_stack_are_missing_only_where_others_race_with_them() {
    let place = Workplace::new();
    let locked =
        ON_STACK.replace("UNLOCK", "pthread_mutex_unlock(&mutex)").replace("LOCK", "pthread_mutex_lock(&mutex)");
    place.write("locked.c", &locked);
    let (said, run) = claim(&place, "locked.c --sanitizer none");
    assert!(said.contains("none: every schedule was tried"), "{said}");
    assert_eq!(run["executions"], 2, "the order of the two locks");
    place.write("racing.c", &ON_STACK.replace("UNLOCK", "").replace("LOCK", ""));
    let (said, run) = claim(&place, "racing.c --sanitizer none");
    assert!(said.contains("not every schedule was tried: an access of a thread to its own stack"), "{said}");
    assert!(run["exhausted"] == false && run["left_out"]["raced_unseen"].as_u64() > Some(0), "{run}");
}

/// Two threads that store one variable each and load the other's.
const STORE_BUFFERING: &str = "#include <pthread.h>\n#include <stdatomic.h>\n\
    static atomic_int x, y;\n\
    static void *one(void *unused) {\n\
      atomic_store_explicit(&x, 1, memory_order_relaxed);\n\
      (void)atomic_load_explicit(&y, memory_order_relaxed);\n\
      return unused;\n\
    }\n\
    static void *other(void *unused) {\n\
      atomic_store_explicit(&y, 1, memory_order_relaxed);\n\
      (void)atomic_load_explicit(&x, memory_order_relaxed);\n\
      return unused;\n\
    }\n\
    int main(void) {\n\
      pthread_t first, second;\n\
      pthread_create(&first, 0, one, 0);\n\
      pthread_create(&second, 0, other, 0);\n\
      pthread_join(first, 0);\n\
      return pthread_join(second, 0);\n\
    }\n";

/// `lastzero` of the paper on optimal dynamic partial-order reduction: N threads each make an element one more than the one
/// before it, and one looks for the last that is 0. (N + 3) 2^(N - 2) of its executions differ.
const LAST_ZERO: &str = "#include <pthread.h>\n#include <stdatomic.h>\n#include <stdint.h>\n\
    static atomic_int array[N + 1];\n\
    static void *look(void *unused) {\n\
      int at = N;\n\
      while (atomic_load(&array[at]) != 0) --at;\n\
      return unused;\n\
    }\n\
    static void *add(void *place) {\n\
      const intptr_t at = (intptr_t)place;\n\
      atomic_store(&array[at], atomic_load(&array[at - 1]) + 1);\n\
      return 0;\n\
    }\n\
    int main(void) {\n\
      pthread_t threads[N + 1];\n\
      pthread_create(&threads[0], 0, look, 0);\n\
      for (intptr_t at = 1; at <= N; ++at) pthread_create(&threads[at], 0, add, (void *)at);\n\
      for (int at = 0; at <= N; ++at) pthread_join(threads[at], 0);\n\
    }\n";

/// Two relaxed stores to one variable, which nobody loads before both are made.
const TWO_STORES: &str = "#include <pthread.h>\n#include <stdatomic.h>\n\
    static atomic_int x;\n\
    static void *store(void *unused) {\n\
      atomic_store_explicit(&x, 1, memory_order_relaxed);\n\
      return unused;\n\
    }\n\
    int main(void) {\n\
      pthread_t first, second;\n\
      pthread_create(&first, 0, store, 0);\n\
      pthread_create(&second, 0, store, 0);\n\
      pthread_join(first, 0);\n\
      return pthread_join(second, 0);\n\
    }\n";

#[test]
fn executions_are_counted_that_differ_in_reads_from_and_modification_order() {
    let place = Workplace::new();
    place.write("store_buffering.c", STORE_BUFFERING);
    place.write("two_stores.c", TWO_STORES);
    for words in 2..=4 {
        place.write(&format!("lastzero_{words}.c"), &format!("#define N {words}\n{LAST_ZERO}"));
    }
    for (program, memory, differ) in [
        // Both loads cannot read 0 in an interleaving.
        ("store_buffering.c", "sc", 3),
        ("store_buffering.c", "tso", 4),
        ("store_buffering.c", "cpp20", 4),
        ("two_stores.c", "sc", 2),
        ("two_stores.c", "tso", 2),
        ("two_stores.c", "cpp20", 2),
        ("lastzero_2.c", "sc", 5),
        ("lastzero_3.c", "sc", 12),
        ("lastzero_4.c", "sc", 28),
        // All operations are sequentially consistent, so nothing else is possible.
        ("lastzero_3.c", "cpp20", 12),
    ] {
        let (said, run) = claim(&place, &format!("{program} --memory {memory} --points sync --sanitizer none"));
        assert_eq!(run["distinct"], differ, "{program} {memory}: {said}");
        let executions = run["executions"].as_u64().expect("a number");
        let told = format!("; {differ} of {executions} executions differ in reads-from and modification order");
        assert!(said.contains(&told), "{program} {memory}: {said}");
    }
}
