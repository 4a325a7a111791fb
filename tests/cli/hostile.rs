//! What tries the tool itself: programs that leave its hands, cases that somebody else wrote, files that are none, and a system
//! that gives less than is needed.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::process::Command;

use crate::command::{CLEAN, COULD_NOT, FOUND, Ran, Workplace};

/// Always wrong, at once.
const WRONG: &str = "#include <stdlib.h>\nint main(void) { abort(); }\n";

/// A workplace with `wrong.c`, and the case that a check of it made, as text.
fn with_case() -> (Workplace, String) {
    let place = Workplace::new();
    place.write("wrong.c", WRONG);
    check(&place, "wrong.c").left_with(FOUND);
    let case = fs::read_to_string(place.cases("findings").remove(0)).expect("a case");
    (place, case)
}

fn check(place: &Workplace, arguments: &str) -> Ran {
    place.run(&format!("check --sanitizer none --executions 3 {arguments}"))
}

#[test]
fn a_system_call_that_nobody_knows_is_refused_by_name_and_a_harmless_one_is_made() {
    let place = Workplace::new();
    let source = r"
#include <stdlib.h>
#include <unistd.h>
static char *none[] = {NULL};
int main(int count, char **words) {
  const int number = count == 2 ? atoi(words[1]) : 0;
  if (number == -1) return execl(`/bin/false`, `false`, `1`, NULL);
  if (number == -2) return execlp(`false`, `false`, NULL);
  if (number == -3) return execle(`/bin/false`, `false`, `1`, `2`, NULL, none);
  return count == 2 && syscall(number, 0, 0, 0, 0, 0, 0) < 0;
}
";
    place.write("calls.c", &source.replace('`', "\""));
    let calls = [
        (libc::SYS_clone, "syscall(clone)"),
        (libc::SYS_clone3, "syscall(clone3)"),
        (libc::SYS_kill, "syscall(kill)"),
        (libc::SYS_tgkill, "syscall(tgkill)"),
        (libc::SYS_execve, "syscall(execve)"),
        (libc::SYS_io_uring_setup, "syscall(io_uring_setup)"),
        (1000, "syscall(1000)"),
        (-1, "execl"),
        (-2, "execlp"),
        (-3, "execle"),
    ];
    for (number, name) in calls {
        check(&place, &format!("calls.c -- {number}")).refused(&[name, "not emulated"]);
    }
    for number in
        [libc::SYS_getpid, libc::SYS_gettid, libc::SYS_sched_yield, libc::SYS_membarrier, libc::SYS_exit_group]
    {
        check(&place, &format!("calls.c -- {number}")).left_with(CLEAN);
    }
}

#[test]
fn a_schedule_of_a_thread_that_no_execution_has_is_a_mistake_or_a_divergence() {
    let (place, case) = with_case();
    let of = |thread: &str| case.replacen("\n  0*", &format!("\n  {thread}*"), 1);
    for thread in ["1024", "65535"] {
        place.write("high.case", &of(thread));
        place.run("replay high.case").refused(&["high.case: line", thread, "1023"]);
    }
    for schedule in [of("1023"), case.replacen("\n  0*", "\n  wake*1023 0*", 1), of("0*4294967295#0000 0")] {
        for engine in ["fibers", "threads"] {
            place.write("high.case", &schedule.replace("\nengine fibers\n", &format!("\nengine {engine}\n")));
            let ran = place.run("replay high.case").left_with(FOUND);
            assert!(ran.stdout.contains("diverged at step"), "{engine}: {}", ran.stdout);
        }
    }
}

#[test]
fn a_worker_that_cannot_start_is_an_error_with_its_reason() {
    let place = Workplace::new();
    place.write("wrong.c", WRONG);
    let line =
        "ulimit -v 4000000; threadbare check wrong.c --sanitizer address --executions 3 --json out.json; echo left $?";
    let said = place.shell(line);
    assert!(said.contains("error: a worker could not start: ") && said.contains("ulimit -v"), "{said}");
    assert!(said.contains(&format!("left {COULD_NOT}")), "{said}");
    assert_eq!(place.json("out.json")["findings"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_case_that_does_not_compile_keeps_no_other_from_being_replayed() {
    let (place, case) = with_case();
    place.write("broken.c", "int main( {\n");
    place.write("words.txt", "hello\n");
    place.write("findings/broken.case", &case.replace("wrong.c", "broken.c"));
    place.write("findings/words.case", &case.replace("wrong.c", "words.txt"));
    place.run("replay findings --json out.json").refused(&["broken.c:1", "words.txt: neither C nor C++"]);
    let json = place.json("out.json");
    assert_eq!((json["as_expected"].as_u64(), json["refused"].as_array().map(Vec::len)), (Some(1), Some(2)));
}

#[test]
fn what_cannot_be_written_is_an_error_and_everything_else_is_told() {
    let (place, _) = with_case();
    let said = place.shell("threadbare replay findings > /dev/full; echo left $?");
    assert!(said.contains("standard output") && said.contains(&format!("left {COULD_NOT}")), "{said}");
    place.run("replay findings --json /dev/full").refused(&["/dev/full"]);
    assert!(fs::metadata("/dev/full").expect("it is there").file_type().is_char_device(), "nothing took its place");
    // Nothing can take the place of this one either.
    let case = place.cases("findings").remove(0);
    fs::remove_file(&case).expect("removed");
    fs::create_dir_all(case.join("full")).expect("made");
    let ran = check(&place, "wrong.c --junit out.xml --sarif out.sarif --json out.json");
    let ran = ran.refused(&["cannot write findings/"]);
    assert!(ran.stdout.contains("abort was called") && ran.stdout.contains("1 finding"), "{}", ran.stdout);
    assert_eq!(place.json("out.json")["findings"].as_array().map(Vec::len), Some(1));
    assert!(place.path().join("out.xml").exists() && place.path().join("out.sarif").exists());
}

#[test]
fn what_is_no_regular_file_is_neither_waited_for_nor_read() {
    let place = Workplace::new();
    let made = Command::new("mkfifo").arg(place.path().join("pipe.case")).status().expect("mkfifo runs");
    assert!(made.success());
    for path in ["pipe.case", "/dev/zero"] {
        for command in ["replay", "show", "minimise"] {
            place.run(&format!("{command} {path}")).refused(&[path, "not a regular file"]);
        }
    }
    place.run("replay .").refused(&["nothing to replay"]);
}

#[test]
fn names_and_texts_reach_the_terminal_without_what_it_would_obey() {
    let (place, case) = with_case();
    let name = "e\u{1b}[31m\n\u{202e}x.case";
    place.write(name, &case.replace("report\n", "report\n| \u{1b}]0;title\u{7}\n"));
    for command in ["replay", "show"] {
        let ran = place.run_in(".", command, &[name]);
        assert!(!ran.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{ran:?}");
        assert!(ran.stdout.contains("\\u001b"), "{ran:?}");
    }
    let ran = place.run_in(".", "replay", &["none\u{1b}.case"]).refused(&["none\\u001b.case"]);
    assert!(!ran.stderr.contains('\u{1b}'), "{ran:?}");
}

#[test]
fn a_case_that_reaches_outside_of_the_project_is_built_only_if_it_is_named_and_trusted() {
    let (place, case) = with_case();
    let with_flag = |flag: &str| case.replacen("\n  digest", &format!("\n  flag \"{flag}\"\n  digest"), 1);
    fs::remove_dir_all(place.path().join("findings")).expect("removed");
    place.write("cases/other.case", &with_flag("-save-temps"));
    place.run("replay cases/other.case").refused(&["cases/other.case", "`-save-temps`", "--trust"]);
    place.run("replay --trust cases").refused(&["cases/other.case", "`-save-temps`"]);
    assert!(!place.path().join("wrong.i").exists());
    place.write("cases/other.case", &with_flag("-I/usr/include"));
    place.run("replay --trust cases/other.case").left_with(CLEAN);
    place.write("cases/other.case", &with_flag("-DN=1"));
    place.run("replay cases").left_with(CLEAN);
    // What the project file says of a program is the user's own.
    place.write("cases/other.case", &with_flag("-I/usr/include"));
    place.write("threadbare.toml", "[program.wrong]\nsources = [\"wrong.c\"]\nflags = [\"-I/usr/include\"]\n");
    place.run("replay cases").left_with(CLEAN);
}
