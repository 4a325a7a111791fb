//! What of the system and the tools threadbare needs or can use, and what to do where something is missing.

use std::fs;
use std::path::Path;

use super::symbols;
use crate::model::settings::Sanitizer;
use crate::process;
use crate::target::{Form, Toolchain};

/// How things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Good,
    /// It works, but something is slower or tells less.
    Weak,
    /// Something does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    pub what: &'static str,
    pub health: Health,
    /// What was found.
    pub found: String,
    /// What to do, where it is not good.
    pub remedy: String,
}

impl Look {
    fn good(what: &'static str, found: String) -> Self {
        Self { what, health: Health::Good, found, remedy: String::new() }
    }

    fn not_good(what: &'static str, health: Health, found: String, remedy: &str) -> Self {
        Self { what, health, found, remedy: remedy.to_owned() }
    }
}

/// Bytes in memory that the files of a worker's targets want.
const ROOM: u64 = 256 << 20;

/// Looks at everything; `compiler` is the one that would be used, or why there is none.
#[must_use]
pub fn examine(compiler: &Result<Toolchain, String>) -> Vec<Look> {
    let system = System::here();
    let mut looks = Vec::new();
    match compiler {
        Ok(toolchain) => {
            looks.push(if toolchain.is_clang {
                Look::good("compiler", toolchain.description())
            } else {
                Look::not_good(
                    "compiler",
                    Health::Weak,
                    format!("{}, which has no fast engine", toolchain.description()),
                    "apt-get install clang-22 libclang-rt-22-dev, and leave `--cxx` and CXX out",
                )
            });
            for (what, sanitizer) in
                [("sanitizer thread", Sanitizer::Thread), ("sanitizer address", Sanitizer::Address)]
            {
                looks.push(match toolchain.runtime(sanitizer, Form::Shared) {
                    Ok(libraries) => {
                        let names: Vec<String> = libraries.iter().map(|path| path.display().to_string()).collect();
                        Look::good(what, names.join(", "))
                    }
                    Err(why) => Look::not_good(what, Health::Bad, "its runtime is missing".to_owned(), &why),
                });
            }
        }
        Err(why) => looks.push(Look::not_good("compiler", Health::Bad, "none that is new enough".to_owned(), why)),
    }
    looks.push(match symbols::tool() {
        Some(tool) if symbols::is_llvm(&tool) => Look::good("symbolizer", tool.display().to_string()),
        Some(tool) => Look::not_good(
            "symbolizer",
            Health::Weak,
            format!("{}, which is slow and misses inlined functions", tool.display()),
            "apt-get install llvm, for `llvm-symbolizer`",
        ),
        None => Look::not_good(
            "symbolizer",
            Health::Weak,
            "none, so stacks and steps are addresses".to_owned(),
            "apt-get install llvm (`llvm-symbolizer`) or binutils (`addr2line`)",
        ),
    });
    looks.extend(system.looks());
    looks
}

/// What the system says of itself.
#[derive(Clone, Debug, Default)]
struct System {
    /// `kernel.randomize_va_space` and `vm.mmap_rnd_bits`.
    randomized: Option<u64>,
    random_bits: Option<u64>,
    /// `kernel.yama.ptrace_scope`.
    ptrace_scope: Option<u64>,
    /// `Seccomp` of /proc/self/status.
    seccomp: Option<u64>,
    /// Bytes free in /dev/shm, where there is one.
    shared_memory: Option<u64>,
    /// `kernel.core_pattern`, and the limit of a core file: none if it has none.
    core_pattern: Option<String>,
    core_limit: Option<u64>,
    address_space: Option<u64>,
}

impl System {
    fn here() -> Self {
        let text = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
        let number = |path: &str| text(path)?.parse().ok();
        let seccomp = text("/proc/self/status")
            .and_then(|status| status.lines().find_map(|line| line.strip_prefix("Seccomp:"))?.trim().parse().ok());
        Self {
            randomized: number("/proc/sys/kernel/randomize_va_space"),
            random_bits: number("/proc/sys/vm/mmap_rnd_bits"),
            ptrace_scope: number("/proc/sys/kernel/yama/ptrace_scope"),
            seccomp,
            shared_memory: process::free_space(Path::new("/dev/shm")),
            core_pattern: text("/proc/sys/kernel/core_pattern"),
            core_limit: process::core_limit(),
            address_space: process::address_space_limit(),
        }
    }

    fn looks(&self) -> Vec<Look> {
        vec![self.addresses(), self.ptrace(), self.filter(), self.memory(), self.cores(), self.space()]
    }

    /// Old runtimes of ThreadSanitizer do not find their place in an address space that is randomized too far.
    fn addresses(&self) -> Look {
        match (self.randomized, self.random_bits) {
            (Some(0), _) => Look::good("address layout", "not randomized".to_owned()),
            (_, Some(bits)) if bits > 28 => Look::not_good(
                "address layout",
                Health::Weak,
                format!("mmap_rnd_bits is {bits}: ThreadSanitizer of clang 17 and g++ 13 may not start"),
                "sysctl vm.mmap_rnd_bits=28, or use a newer compiler",
            ),
            (_, Some(bits)) => Look::good("address layout", format!("randomized by {bits} bits")),
            _ => Look::good("address layout", "not told by this system".to_owned()),
        }
    }

    fn ptrace(&self) -> Look {
        match self.ptrace_scope {
            Some(scope @ 2..) => Look::not_good(
                "ptrace",
                Health::Weak,
                format!("ptrace_scope is {scope}: debuggers cannot attach, and LeakSanitizer may not look"),
                "sysctl kernel.yama.ptrace_scope=1; in a container, --cap-add=SYS_PTRACE",
            ),
            Some(scope) => Look::good("ptrace", format!("ptrace_scope is {scope}")),
            None => Look::good("ptrace", "not restricted".to_owned()),
        }
    }

    fn filter(&self) -> Look {
        match self.seccomp {
            Some(2) => Look::not_good(
                "seccomp",
                Health::Weak,
                "a filter of system calls is on: values of an interleaving and leaks may be missing".to_owned(),
                "in a container, --security-opt seccomp=unconfined",
            ),
            Some(mode) => Look::good("seccomp", if mode == 0 { "off" } else { "strict" }.to_owned()),
            None => Look::good("seccomp", "not told by this system".to_owned()),
        }
    }

    fn memory(&self) -> Look {
        match self.shared_memory {
            Some(free) if free >= ROOM => Look::good("/dev/shm", format!("{} MiB free", free >> 20)),
            Some(free) => Look::not_good(
                "/dev/shm",
                Health::Weak,
                format!("{} MiB free, so files of targets go to the disk", free >> 20),
                "in a container, --shm-size=1g",
            ),
            None => Look::not_good(
                "/dev/shm",
                Health::Weak,
                "there is none, so files of targets go to the disk".to_owned(),
                "mount -t tmpfs tmpfs /dev/shm",
            ),
        }
    }

    /// Each crash that is found would leave a core, of a process that maps terabytes under a sanitizer.
    fn cores(&self) -> Look {
        let pattern = self.core_pattern.as_deref().unwrap_or_default();
        match self.core_limit {
            Some(0) => Look::good("core files", "off".to_owned()),
            _ if pattern.starts_with('|') => Look::not_good(
                "core files",
                Health::Weak,
                format!("each crash goes to `{}`, which takes time", pattern.trim_start_matches('|')),
                "ulimit -c 0, or sysctl kernel.core_pattern=core",
            ),
            _ => Look::not_good(
                "core files",
                Health::Weak,
                "each crash that is found leaves a core file".to_owned(),
                "ulimit -c 0",
            ),
        }
    }

    fn space(&self) -> Look {
        match self.address_space {
            Some(limit) => Look::not_good(
                "address space",
                Health::Bad,
                format!("limited to {} MiB: sanitizers reserve terabytes", limit >> 20),
                "ulimit -v unlimited",
            ),
            None => Look::good("address space", "not limited".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_of_a_system_comes_with_its_remedy() {
        let system = System {
            randomized: Some(2),
            random_bits: Some(32),
            ptrace_scope: Some(3),
            seccomp: Some(2),
            shared_memory: Some(64 << 20),
            core_pattern: Some("|/usr/share/apport/apport %p".to_owned()),
            core_limit: None,
            address_space: Some(4 << 30),
        };
        let looks = system.looks();
        assert!(looks.iter().all(|look| look.health != Health::Good && !look.remedy.is_empty()), "{looks:?}");
        let remedies: Vec<&str> = looks.iter().map(|look| look.remedy.as_str()).collect();
        assert!(remedies[0].contains("mmap_rnd_bits=28") && remedies[3].contains("--shm-size"), "{remedies:?}");
    }

    #[test]
    fn a_system_in_order_needs_no_remedy() {
        let system = System {
            randomized: Some(2),
            random_bits: Some(28),
            ptrace_scope: Some(1),
            seccomp: Some(0),
            shared_memory: Some(4 << 30),
            core_limit: Some(0),
            ..System::default()
        };
        assert!(system.looks().iter().all(|look| look.health == Health::Good && look.remedy.is_empty()));
    }

    #[test]
    fn without_a_compiler_it_says_how_to_get_one() {
        let looks = examine(&Err("install one".to_owned()));
        assert_eq!((looks[0].health, looks[0].remedy.as_str()), (Health::Bad, "install one"));
    }
}
