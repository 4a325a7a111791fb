//! `.clusterfuzzlite/build.sh` keeps the contract of ClusterFuzzLite and OSS-Fuzz, without Docker.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use threadbare::target::Toolchain;

const TARGETS: [&str; 4] = ["differential", "history", "lease", "text"];

/// As base-builder's environment has them.
const CLANG_FLAGS: &str = "-O1 -fno-omit-frame-pointer -gline-tables-only -Wno-error -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION \
                           -fsanitize=address -fsanitize-address-use-after-scope -fsanitize=fuzzer-no-link -stdlib=libc++";
const GCC_FLAGS: &str = "-O1 -g -fsanitize=address";

struct Place {
    directory: TempDir,
    /// Kept, so that only what changed is built the next time; `$SRC` is in it, since cargo knows a package by its place.
    kept: PathBuf,
}

impl Place {
    /// With a `$SRC` that has the project in it.
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clusterfuzzlite");
        fs::create_dir_all(kept.join("src")).expect("made");
        match symlink(env!("CARGO_MANIFEST_DIR"), kept.join("src/threadbare")) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => panic!("a link: {error}"),
            _ => Self { directory, kept },
        }
    }

    fn build(&self, sanitizer: &str, engine: &str) -> Output {
        let toolchain = Toolchain::find(None).expect("a compiler");
        let flags = if toolchain.is_clang { CLANG_FLAGS } else { GCC_FLAGS };
        Command::new("bash")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(".clusterfuzzlite/build.sh"))
            .current_dir(self.directory.path())
            .env("SRC", self.kept.join("src"))
            .env("OUT", self.directory.path().join("out"))
            .env("CXX", &toolchain.compiler)
            .env("CXXFLAGS", flags)
            .env("CFLAGS", flags)
            .env("SANITIZER", sanitizer)
            .env("LIB_FUZZING_ENGINE", engine)
            .env("CARGO_TARGET_DIR", &self.kept)
            .output()
            .expect("bash runs")
    }
}

fn assert_success(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "builds everything anew, which takes many minutes: ci/nightly.sh runs it"]
fn the_targets_are_built_with_what_belongs_to_them_and_run_clean_on_their_seeds() {
    let place = Place::new();
    assert_success(&place.build("address", "-fsanitize=fuzzer"));
    let out = place.directory.path().join("out");
    for target in TARGETS {
        assert!(out.join(format!("{target}.options")).is_file(), "{target}");
        let seeds = place.directory.path().join(format!("seeds-{target}"));
        fs::create_dir(&seeds).expect("made");
        let archive = out.join(format!("{target}_seed_corpus.zip"));
        assert_success(
            &Command::new("cmake").args(["-E", "tar", "xf"]).arg(archive).current_dir(&seeds).output().expect("cmake"),
        );
        let count = fs::read_dir(&seeds).expect("seeds").count();
        assert!(count >= 10, "{target}: {count}");
        // As run_fuzzer does: from another folder, first the seeds, then a little more.
        let run = Command::new(out.join(target))
            .args(["-runs=200", "-seed=1", "-rss_limit_mb=2560", "-timeout=60"])
            .arg(&seeds)
            .current_dir(place.directory.path())
            .output()
            .expect("the target runs");
        assert_success(&run);
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(said.contains("INITED cov:") && said.contains(" Extra Counters"), "no coverage:\n{said}");
        assert!(said.contains("Done "), "{said}");
    }
    assert!(out.join("text.dict").is_file());
}

#[test]
#[ignore = "builds everything anew, which takes many minutes: ci/nightly.sh runs it"]
fn what_cannot_be_honoured_is_refused_by_name() {
    let place = Place::new();
    for (sanitizer, engine, told) in
        [("memory", "", "SANITIZER=memory is not supported"), ("none", "-lafl", "=-lafl is neither")]
    {
        let output = place.build(sanitizer, engine);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(told), "{said}");
    }
}
