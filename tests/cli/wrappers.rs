//! The compiler wrappers: what a build system makes with them is explored, and runs as ever.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use threadbare::target::Toolchain;

use crate::command::{CLEAN, COULD_NOT, FOUND, Workplace};

/// Two threads that count, of which one count may be lost.
const COUNT: &str = "\
#include <pthread.h>
int count;
static void *add(void *unused) {
  count++;
  return unused;
}
int counted(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], 0, add, 0);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);
  return count;
}
";
const MAIN: &str = "\
#include <assert.h>
#include <stdlib.h>
int counted(void);
int main(int argc, char **argv) {
  int enough = argc > 1 ? atoi(argv[1]) : 2;
  assert(counted() >= enough);
}
";

/// With both sources.
fn project() -> Workplace {
    let place = Workplace::new();
    place.write("count.c", COUNT);
    place.write("main.c", MAIN);
    place
}

fn output(place: &Workplace, line: &str) -> Output {
    let mut command = Command::new("sh");
    let folder = Path::new(env!("CARGO_BIN_EXE_threadbare")).parent().expect("a folder").display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    command.args(["-c", line]).env("PATH", path).current_dir(place.path()).output().expect("a shell runs")
}

/// Runs a line in which `$CC` is the wrapper.
fn make(place: &Workplace, line: &str) {
    let made = output(place, &format!("set -e; CC='threadbare cc'; {line}"));
    assert!(made.status.success(), "{line}\n{}", String::from_utf8_lossy(&made.stderr));
}

fn loses_a_count(place: &Workplace, file: &str) {
    let ran = place.run(&format!("check {file} --sanitizer none --executions 300 --stop-at-first"));
    assert_eq!(ran.code, Some(FOUND), "{file}\n{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("counted() >= enough"), "{}", ran.stdout);
}

#[test]
fn executables_are_explored_however_their_objects_came_into_them() {
    let place = project();
    make(&place, "$CC -O2 -g -c main.c count.c; $CC main.o count.o -pthread -o objects");
    make(&place, "ar rcs libcount.a count.o; $CC main.c -L. -lcount -pthread -Wl,--gc-sections -s -o archive");
    make(&place, "$CC -shared -fPIC count.c -o libcount.so; $CC main.o -L. -lcount -Wl,-rpath,. -pthread -o shared");
    make(&place, "$CC -r main.o count.o -o both.o; $CC both.o -pthread -o combined; strip combined");
    make(
        &place,
        "printf '%s' '-flto -c main.c -o \"r e.o\"' > words; $CC @words; $CC 'r e.o' count.c -pthread -o words.run",
    );
    for file in ["objects", "archive", "shared", "combined", "words.run"] {
        assert!(output(&place, &format!("./{file} 0")).status.success(), "{file} runs natively");
        loses_a_count(&place, file);
    }
    // One count always comes through, and the archive is in the executable.
    fs::remove_file(place.path().join("libcount.a")).expect("removed");
    let ran = place.run("check archive --sanitizer none --executions 300 -- 1");
    assert_eq!(ran.code, Some(CLEAN), "{}{}", ran.stdout, ran.stderr);
    // Objects and libraries are inputs as sources are.
    for files in ["main.c count.o", "main.o libcount.so", "both.o"] {
        loses_a_count(&place, files);
    }
    let ran = place.run("replay findings --sanitizer none");
    assert_eq!(ran.code, Some(CLEAN), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn the_wrapper_answers_and_fails_as_the_compiler_does() {
    let place = project();
    let newest = Toolchain::newest_by_name().expect("a compiler");
    let newest = newest.display().to_string().replace("clang++", "clang").replace("g++", "gcc");
    for question in ["--version", "-dumpmachine", "-print-prog-name=ld", "-E -DX=7 main.c", "-M main.c"] {
        let (wrapped, native) =
            (format!("threadbare cc {question}"), format!("${{THREADBARE_CC:-{newest}}} {question}"));
        assert_eq!(output(&place, &wrapped).stdout, output(&place, &native).stdout, "{question}");
    }
    let failed = output(&place, "threadbare cc -c gone.c");
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stderr).contains("gone.c"));
    make(
        &place,
        "$CC -MD -MF deps -c main.c -o main.o; grep -q main.c deps; echo 'int main(){}' | $CC -xc - -o piped; ./piped",
    );
}

#[test]
fn what_was_built_otherwise_is_named() {
    let place = project();
    let native = "N=${THREADBARE_CC:-gcc}";
    make(
        &place,
        &format!("{native}; $N main.c count.c -pthread -o plain; $N -fPIC -c count.c; ar rcs plain.a count.o"),
    );
    let ran = place.run("check plain --executions 10");
    assert_eq!(ran.code, Some(COULD_NOT));
    assert!(ran.stderr.contains("plain: it was not built by threadbare's compiler wrappers"), "{}", ran.stderr);
    make(&place, "$CC main.c plain.a -pthread -o mixed");
    let ran = place.run("check mixed --sanitizer none --executions 100");
    assert!(ran.stdout.contains("prebuilt code with threads") && ran.stdout.contains("plain.a"), "{}", ran.stdout);
    fs::remove_file(place.path().join("main.c")).expect("removed");
    let ran = place.run("check mixed --executions 10");
    assert!(ran.stderr.contains("its source") && ran.stderr.contains("main.c is gone"), "{}", ran.stderr);
}

#[test]
fn a_main_in_an_archive_is_found_and_what_is_missing_is_named_as_in_the_source() {
    let place = project();
    make(&place, "gcc -fPIC -c main.c; ar rcs libmain.a main.o");
    loses_a_count(&place, "count.c libmain.a");
    place.write("calls.cpp", "namespace bank { void pay(int amount); }\nint main() { bank::pay(1); }\n");
    let ran = place.run("check calls.cpp --sanitizer none --executions 10");
    assert!(ran.stderr.contains("`bank::pay(int)` is used but defined nowhere"), "{}", ran.stderr);
    assert_eq!(ran.code, Some(COULD_NOT));
}

#[test]
fn flags_are_words_of_a_shell_and_standards_are_for_their_language() {
    let place = Workplace::new();
    place.write("one.c", "int typeof_one(void) { typeof(1) one = 1; return one; }\n");
    place.write(
        "main.cpp",
        "#include <cstring>\nextern \"C\" int typeof_one(void);\n\
         int main() { __typeof__(1) two = 2; typeof(two) one = 1; return std::strcmp(NAME, \"a b\") + typeof_one() - one; }\n",
    );
    let flags = ["--flags", "'-DNAME=\"a b\"' -std=gnu99"];
    let ran = place.run_in(".", "check main.cpp one.c --sanitizer none --executions 10", &flags);
    assert_eq!(ran.code, Some(CLEAN), "{}{}", ran.stdout, ran.stderr);
    let ran = place.run_in(".", "check main.cpp one.c", &["--flags", "'-DNAME"]);
    assert!(ran.stderr.contains("a quote has no end"), "{}", ran.stderr);
    let database = r#"[{"directory": "DIR", "file": "main.cpp", "command": "c++ -O2 -Werror '-DNAME=\"a b\"' -c main.cpp"},
        {"directory": "DIR", "file": "one.c", "command": "cc -std=gnu11 '-DNAME=\"a b\"' -c one.c"}]"#;
    place.write("build/compile_commands.json", &database.replace("DIR", &place.path().display().to_string()));
    let ran = place.run("check main.cpp one.c --compile-commands build --sanitizer none --executions 10");
    assert_eq!(ran.code, Some(CLEAN), "{}{}", ran.stdout, ran.stderr);
}
