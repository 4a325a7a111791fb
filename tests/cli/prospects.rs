//! What a campaign says about what more time would bring.

use serde_json::Value;

use crate::command::Workplace;

/// Two threads that each lock once: two orders, in each of which the second may have to wait or not.
const ORDERED: &str = "#include <pthread.h>\n\
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;\n\
    static int shared;\n\
    static void *store(void *unused) {\n\
      pthread_mutex_lock(&mutex);\n\
      shared = 1;\n\
      pthread_mutex_unlock(&mutex);\n\
      return unused;\n\
    }\n\
    int main(void) {\n\
      pthread_t thread;\n\
      pthread_create(&thread, 0, store, 0);\n\
      pthread_mutex_lock(&mutex);\n\
      const int seen = shared;\n\
      pthread_mutex_unlock(&mutex);\n\
      pthread_join(thread, 0);\n\
      return seen > 1;\n\
    }\n";

/// Two threads, one of which stores sixteen times what the other loads sixteen times, each at a place of its own: some hundreds of
/// millions of behaviours.
const MANY: &str = "#include <pthread.h>\n#include <stdatomic.h>\n\
    static atomic_int at[16];\n\
    #define EACH(do) do(0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) do(8) do(9) do(10) do(11) do(12) do(13) do(14) do(15)\n\
    #define STORE(n) atomic_store(&at[n], 1);\n\
    #define LOAD(n) sum += atomic_load(&at[(n * 7) % 16]);\n\
    static void *store(void *unused) {\n\
      EACH(STORE)\n\
      return unused;\n\
    }\n\
    int main(void) {\n\
      pthread_t thread;\n\
      int sum = 0;\n\
      pthread_create(&thread, 0, store, 0);\n\
      EACH(LOAD)\n\
      pthread_join(thread, 0);\n\
      return sum > 16;\n\
    }\n";

/// What is said, and what the JSON has of it.
fn behaviours(place: &Workplace, words: &str) -> (String, Value) {
    let ran = place.run(&format!("check {words} --sanitizer none --json out.json"));
    let line = ran.stdout.lines().find(|line| line.starts_with("more time: ")).unwrap_or_default().to_owned();
    (line, place.json("out.json")["runs"][0]["behaviours"].clone())
}

#[test]
fn few_behaviours_are_soon_seen_and_many_are_not() {
    let place = Workplace::new();
    place.write("ordered.c", ORDERED);
    place.write("many.c", MANY);
    let (said, few) = behaviours(&place, "ordered.c --executions 1000");
    assert_eq!((&few["looked"], &few["seen"], &few["seen_once"]), (&94.into(), &4.into(), &0.into()), "{said}");
    assert_eq!(few["next"]["fewer-than-one-in"], 31);
    let seen = "4 behaviours in 94 of 1,000 executions, 0 of them once";
    assert_eq!(said, format!("more time: {seen}; by now most likely fewer than one in 31 shows a new one"));
    let (said, many) = behaviours(&place, "many.c --executions 1000");
    assert!(many["seen"].as_u64() > Some(30), "{said}");
    assert!(many["next"]["one-in"].as_u64() < Some(4), "{said}");
}

#[test]
fn the_estimate_is_that_of_the_executions_however_they_are_shared_out() {
    let place = Workplace::new();
    place.write("many.c", MANY);
    let alone = behaviours(&place, "many.c --executions 450000 --jobs 1 --strategy random");
    assert_eq!(alone, behaviours(&place, "many.c --executions 450000 --jobs 2 --strategy random"));
    assert!(alone.1["looked"].as_u64() > Some(900), "{alone:?}");
}

#[test]
fn too_few_executions_say_nothing_and_a_search_of_all_needs_no_estimate() {
    let place = Workplace::new();
    place.write("ordered.c", ORDERED);
    let (said, few) = behaviours(&place, "ordered.c --executions 5");
    assert_eq!((said.as_str(), &few["next"]), ("more time: no estimate from 5 executions", &"unknown".into()));
    for words in ["--strategy exhaustive --executions 50", "--strategy random --executions 50 --stop-at-first"] {
        let (said, _) = behaviours(&place, &format!("ordered.c {words}"));
        assert_eq!(said, "", "{words}");
    }
}
