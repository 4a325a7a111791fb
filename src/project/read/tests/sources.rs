//! Paths and patterns of a project file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use super::*;

#[test]
fn a_path_that_is_not_there_is_named_with_the_nearest() {
    mistakes_in_programs(&[
        ("include = [\"includes\"]", "includes: no such directory; did you mean include?"),
        ("include = [\"src/b.c\"]", "src/b.c: not a directory; name one"),
        ("include = [\"x\"]", "x: no such directory; correct it; paths are relative to the directory of this file"),
    ]);
    mistakes(&[
        ("[program.a]\nsources = [\n\"src/b.c\",\n\"src/lost_updat.c\"]\n", {
            "4: src/lost_updat.c: no such file; did you mean src/lost_update.c?"
        }),
        ("[program.a]\nsources = [\"scr/lost-update.c\"]\n", {
            "2: scr/lost-update.c: no such file; did you mean src/lost_update.c?"
        }),
        ("[program.a]\nsources = [\"src\"]\n", {
            "2: src: a directory; name a file in it, or several, such as src/*.c"
        }),
        ("[program.a]\nsources = [\"/dev/null\"]\n", "2: /dev/null: not a regular file; name one"),
        ("[defaults]\ncases = [\"tests/corpsu\"]\n", {
            "2: tests/corpsu: no such file or directory; did you mean tests/corpus?"
        }),
        ("[defaults]\ncxx = \"tools/clang+\"\n", "2: tools/clang+: no such file; did you mean tools/clang++?"),
    ]);
}

#[test]
fn a_pattern_stands_for_its_files_in_order_without_directories_and_hidden_files() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.root.join("src/d.c")).expect("made");
    assert_eq!(sandbox.sources(r#"["src/*.c"]"#), ["src/b.c", "src/lost_update.c"]);
    assert_eq!(sandbox.sources(r#"["**/*.c"]"#), ["src/b.c", "src/deep/c.c", "src/lost_update.c"]);
    assert_eq!(sandbox.sources(r#"["src/[a-c].c"]"#), ["src/b.c"]);
    assert_eq!(sandbox.sources(r#"["src/lost_update.c", "src/*.c"]"#), ["src/lost_update.c", "src/b.c"], "once");
    let absolute = format!("[\"{}/src/*.c\"]", sandbox.root.display());
    assert_eq!(sandbox.sources(&absolute), ["src/b.c", "src/lost_update.c"]);
}

#[test]
fn a_pattern_may_lead_out_of_the_directory_of_the_file_and_stays_relative() {
    let sandbox = Sandbox::new();
    sandbox.add("p/a.c");
    fs::write(sandbox.root.join("p/threadbare.toml"), "[program.a]\nsources = [\"../src/b*.c\"]\n").expect("written");
    let read = |here: &str| Project::read_from(&sandbox.root.join("p/threadbare.toml"), sandbox.root.join(here));
    for here in ["p", "", "src"] {
        assert_eq!(read(here).expect("valid").targets[0].sources, [PathBuf::from("../src/b.c")], "from {here}");
    }
}

#[test]
fn what_looks_like_a_pattern_and_is_the_name_of_a_file_is_that_file() {
    let sandbox = Sandbox::new();
    sandbox.add("[b]*.c");
    sandbox.add("b1.c");
    assert_eq!(sandbox.sources(r#"["[b]*.c"]"#), ["[b]*.c"]);
}

#[test]
fn patterns_work_below_a_directory_whose_name_looks_like_one() {
    let sandbox = Sandbox::new();
    sandbox.add("[x]/*/a.c");
    let path = sandbox.root.join("[x]/*/threadbare.toml");
    fs::write(&path, "[program.a]\nsources = [\"*.c\"]\n").expect("written");
    let project = Project::read_from(&path, sandbox.root.clone()).expect("valid");
    assert_eq!(project.targets[0].sources, [PathBuf::from("a.c")]);
}

#[test]
fn a_pattern_that_is_wrong_or_matches_nothing_or_too_much_is_refused() {
    let matches_none = "matches no file; correct it, relative to the directory of this file, or leave it out";
    mistakes(&[
        ("[program.a]\nsources = [\"src/*.cpp\"]\n", &format!("2: src/*.cpp: {matches_none}")),
        ("[program.a]\nsources = [\"inc*\"]\n", &format!("2: inc*: {matches_none}")),
        ("[program.a]\nsources = [\"src/a**\"]\n", {
            "2: src/a**: no pattern: recursive wildcards must form a single path component; correct it"
        }),
        ("[program.a]\nsources = [\"src/[\"]\n", "2: src/[: no pattern: invalid range pattern; correct it"),
    ]);
    let sandbox = Sandbox::new();
    (0..257).for_each(|number| sandbox.add(format!("many/{number}.c")));
    let told = sandbox.told("[program.a]\nsources = [\"many/*.c\"]\n");
    assert_eq!(told, "threadbare.toml:2: many/*.c: matches more than 256 files; narrow it");
    let told = sandbox.told("[program.a]\nsources = [\"many/1*.c\",\n\"many/[02-9]*.c\"]\n");
    assert_eq!(told, "threadbare.toml:3: more than 256 sources with this one; name fewer");
}

#[test]
fn what_was_built_stands_beside_sources() {
    let sandbox = Sandbox::new();
    for name in ["built/liba.a", "built/b.o", "built/libc.so.1"] {
        sandbox.add(name);
    }
    let sources = sandbox.sources(r#"["src/b.c", "built/*"]"#);
    assert_eq!(sources, ["src/b.c", "built/b.o", "built/liba.a", "built/libc.so.1"]);
    sandbox.read("[program.a]\nsources = [\"src/b.c\", \"built/liba.a\"]\nstandard = \"c17\"\n");
}

#[test]
fn a_pattern_ends_where_links_lead_back() {
    let sandbox = Sandbox::new();
    symlink("..", sandbox.root.join("src/up")).expect("linked");
    symlink(".", sandbox.root.join("src/same")).expect("linked");
    assert_eq!(sandbox.sources(r#"["**/b.c"]"#), ["src/b.c"]);
}

#[test]
fn a_source_that_is_no_c_or_is_not_utf_8_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.add("src/b.h");
    let told = sandbox.told("[program.a]\nsources = [\"src/b.*\"]\n");
    let why =
        "neither C nor C++ by its name, nor an object, archive or shared library; name files that end in .c or .cpp";
    assert_eq!(told, format!("threadbare.toml:2: src/b.h: {why}"));
    sandbox.add(OsStr::from_bytes(b"odd/\xff.c"));
    let told = sandbox.told("[program.a]\nsources = [\"odd/*\"]\n");
    assert!(told.contains("odd/\u{fffd}.c: the path is not UTF-8"), "{told}");
}
