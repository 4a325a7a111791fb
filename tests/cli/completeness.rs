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
