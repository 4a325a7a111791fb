//! The main job under every sanitizer, with the workers that cargo builds for it.

use crate::command::{CLEAN, FOUND, Workplace, has_clang};

#[test]
fn every_sanitizer_runs_the_same_task_graphs_and_finds_nothing() {
    let place = Workplace::new();
    place.run("fuzz --search generational --executions 1200 --seed 1 --json out.json").left_with(CLEAN);
    let json = place.json("out.json");
    assert_eq!(json["executions"], 1200);
    let runs = json["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 12);
    if !has_clang() {
        return; // g++ lays loops out otherwise under sanitizers, and who waits in one is known by its places in the code.
    }
    for threads in [1, 2, 4, 8] {
        let points: Vec<u64> =
            runs.iter().filter(|run| run["threads"] == threads).filter_map(|run| run["points"].as_u64()).collect();
        assert!(points.iter().all(|count| *count == points[0]), "{threads} threads: {points:?}");
    }
}

#[test]
fn a_data_race_is_found_kept_with_its_report_and_only_shown_where_it_can_be() {
    let place = Workplace::new();
    let campaign = "fuzz --executions 200 --threads 4 --sanitizer thread --seed 2 --bug relaxed-publish";
    place.run(&format!("{campaign} --json out.json")).left_with(FOUND);
    let json = place.json("out.json");
    let findings = json["findings"].as_array().expect("findings");
    let race = findings.iter().find(|finding| finding["verdict"] == "data-race").expect("a data race");
    assert_eq!((&race["oracle"], &race["confirmed"]), (&"sanitizer".into(), &true.into()));
    let case = race["case"].as_str().expect("a path");
    let shown = place.run(&format!("show {case}")).left_with(CLEAN).stdout;
    assert!(shown.contains("WARNING: ThreadSanitizer: data race"), "{shown}");
    place.run(&format!("replay {case} --repeat 5")).left_with(CLEAN);
    let other = place.run(&format!("replay {case} --sanitizer none --json none.json")).left_with(CLEAN);
    assert!(other.stdout.contains("not shown"), "{}", other.stdout);
    assert_eq!(place.json("none.json")["not_shown"], 1);
}

#[test]
fn a_use_after_free_is_found_with_both_stacks() {
    let place = Workplace::new();
    let campaign = "fuzz --executions 1500 --threads 4 --sanitizer address --seed 2 --bug final-suspend-destroy";
    place.run(&format!("{campaign} --json out.json")).left_with(FOUND);
    let json = place.json("out.json");
    let findings = json["findings"].as_array().expect("findings");
    let error = findings.iter().find(|finding| finding["verdict"] == "memory-error").expect("a memory error");
    let case = error["case"].as_str().expect("a path");
    let shown = place.run(&format!("show {case}")).left_with(CLEAN).stdout;
    assert!(shown.contains("heap-use-after-free") && shown.contains("freed by"), "{shown}");
    place.run(&format!("replay {case} --repeat 5")).left_with(CLEAN);
}

#[test]
fn an_entry_of_a_directory_is_not_to_be_used_once_that_is_closed() {
    let place = Workplace::new();
    let source = "#include <dirent.h>\n\
        int main(void) {\n\
          DIR *directory = opendir(\".\");\n\
          struct dirent *entry = readdir(directory);\n\
          closedir(directory);\n\
          return entry->d_name[0] == 0;\n\
        }\n";
    place.write("closed.c", source);
    let ran = place.run("check closed.c --sanitizer address --executions 2 --minimise off --json out.json");
    ran.left_with(FOUND);
    let finding = &place.json("out.json")["findings"][0];
    assert_eq!((&finding["verdict"], &finding["confirmed"]), (&"memory-error".into(), &true.into()), "{finding}");
}

#[test]
fn a_race_that_shows_rarely_is_found_beside_one_that_always_shows() {
    let place = Workplace::new();
    let source = "#include <pthread.h>\n#include <stdatomic.h>\n\
        static int often, rarely;\nstatic atomic_int steps;\n\
        __attribute__((noinline)) static void meet(void) { ++rarely; }\n\
        static void *work(void *argument) {\n\
          ++often;\n\
          int mine = ++steps;\n\
          for (int i = 0; i < 3; i++) ++steps;\n\
          if (mine == 1 && steps == 5) meet();\n\
          if (mine == 5) meet();\n\
          return argument;\n\
        }\n\
        int main(void) {\n\
          pthread_t threads[2];\n\
          for (int i = 0; i < 2; i++) pthread_create(&threads[i], 0, work, 0);\n\
          for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);\n\
          return 0;\n\
        }\n";
    place.write("races.c", source);
    let check = "check races.c --sanitizer thread --strategy random --executions 2000 --seed 1 --jobs 1";
    place.run(&format!("{check} --json out.json")).left_with(FOUND);
    let json = place.json("out.json");
    let messages: Vec<String> =
        json["findings"].as_array().expect("findings").iter().map(|finding| finding["message"].to_string()).collect();
    assert!(messages.iter().any(|message| message.contains("meet")), "{messages:?}");
    assert!(messages.len() >= 2, "{messages:?}");
}

#[test]
fn each_race_of_one_execution_is_a_finding_of_its_own_that_replays_as_itself() {
    let place = Workplace::new();
    let source = "#include <pthread.h>\n\
        static int first, second;\n\
        __attribute__((noinline)) static void set_first(void) { first = 1; }\n\
        __attribute__((noinline)) static void set_second(void) { second = 1; }\n\
        static void *set_both(void *unused) {\n\
          set_first();\n\
          set_second();\n\
          return unused;\n\
        }\n\
        int main(void) {\n\
          pthread_t threads[2];\n\
          for (int i = 0; i < 2; i++) pthread_create(&threads[i], 0, set_both, 0);\n\
          for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);\n\
          return 0;\n\
        }\n";
    place.write("races.c", source);
    let check = "check races.c --sanitizer thread --executions 1 --seed 1 --jobs 1";
    place.run(&format!("{check} --json out.json")).left_with(FOUND);
    let json = place.json("out.json");
    let findings = json["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 2, "{findings:?}");
    for (name, other) in [("set_first", "set_second"), ("set_second", "set_first")] {
        let is_of_it = |finding: &&serde_json::Value| finding["message"].to_string().contains(name);
        let finding = findings.iter().find(is_of_it).unwrap_or_else(|| panic!("{name} in {findings:?}"));
        assert_eq!(finding["confirmed"], true, "{finding}");
        let shown = place.run(&format!("show {}", finding["case"].as_str().expect("a path"))).left_with(CLEAN).stdout;
        let report = shown.split("WARNING: ").nth(1).and_then(|rest| rest.split("SUMMARY: ").next()).expect("a report");
        assert!(report.contains(name) && !report.contains(other), "{shown}");
    }
    place.run("replay findings --json replayed.json").left_with(CLEAN);
    assert_eq!(place.json("replayed.json")["as_expected"], 2);
}

#[test]
fn two_races_at_one_place_are_both_found_wherever_it_lies() {
    let place = Workplace::new();
    let source = "#include <pthread.h>\n\
        static int still;\n\
        static int *shared = &still;\n\
        static void *writes(void *unused) {\n\
          *shared = 1;\n\
          return unused;\n\
        }\n\
        static void *reads_early(void *unused) { return *shared ? unused : (void *)&still; }\n\
        static void *reads_late(void *unused) { return *shared ? (void *)&still : unused; }\n\
        int main(int count, char **words) {\n\
          int on_stack = 0;\n\
          if (count == 2) shared = words ? &on_stack : 0;\n\
          void *(*const works[])(void *) = {writes, reads_early, reads_late};\n\
          pthread_t threads[3];\n\
          for (int i = 0; i < 3; i++) pthread_create(&threads[i], 0, works[i], 0);\n\
          for (int i = 0; i < 3; i++) pthread_join(threads[i], 0);\n\
          return 0;\n\
        }\n";
    place.write("races.c", source);
    for engine in ["fibers", "threads"].into_iter().filter(|engine| has_clang() || *engine != "fibers") {
        for arguments in ["", "-- on-stack"] {
            let check =
                format!("check races.c --sanitizer thread --executions 300 --seed 1 --engine {engine} --jobs 1");
            place.run(&format!("{check} --json out.json {arguments}")).left_with(FOUND);
            let json = place.json("out.json");
            let findings = json["findings"].as_array().expect("findings");
            for reader in ["reads_early", "reads_late"] {
                let is_of_it = |finding: &serde_json::Value| finding["message"].to_string().contains(reader);
                assert!(findings.iter().any(is_of_it), "{reader} with {engine} {arguments}: {findings:?}");
            }
        }
    }
}
