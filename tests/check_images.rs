//! Programs under check: loaded once, executed many times, each time as at the start of a process.

mod under_control;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use threadbare::build_info;
use threadbare::check::{Check, Points};
use threadbare::control::{CHECK, Mode, Session};
use threadbare::execution::{Ending, Exit};
use threadbare::settings::{Engine, Settings, StrategyName};
use under_control::{Test, controlled_engines, open, settings};

const POINTS: u64 = 100_000;
const EXPECTED_POINTS: u64 = 30;

fn session(name: &str, text: &str, points: Points, engine: Engine) -> Session {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source: PathBuf = folder.path().join(name);
    std::fs::write(&source, text).expect("written");
    let check = Check { sources: vec![source], flags: vec![], arguments: vec![], points };
    let object = threadbare::check::build::build(&check, build_info::SANITIZER, folder.path()).expect("compiles");
    let mut session = open(&Settings { subject: CHECK.to_owned(), ..settings(engine, StrategyName::Random) });
    session.load_image(&object, &[]).expect("loads");
    session
}

/// How often each ending came.
fn endings(session: &mut Session, executions: u64) -> BTreeMap<String, u64> {
    let mut endings = BTreeMap::new();
    for seed in 0..executions {
        let execution = session.execute_image(seed, Mode::Explore { seed }, POINTS, EXPECTED_POINTS);
        *endings.entry(format!("{:?}", execution.ending)).or_default() += 1;
        if session.is_spent() {
            break;
        }
    }
    endings
}

const REORDER: &str = r#"
#include <pthread.h>
#include <assert.h>
int a, b;
static void *set(void *x){ a = 1; b = -1; return x; }
static void *check(void *x){ assert((a==0&&b==0)||(a==1&&b==-1)); return x; }
int main(void){ pthread_t t[3]; pthread_create(&t[0],0,set,0); pthread_create(&t[1],0,set,0); pthread_create(&t[2],0,check,0); for(int i=0;i<3;i++) pthread_join(t[i],0); return 0; }
"#;

fn main() {
    let mut tests = vec![];
    for engine in controlled_engines() {
        tests.push(Test::new(format!("reorder {engine:?}"), move || {
            let mut session = session("reorder.c", REORDER, Points::Memory, engine);
            let start = Instant::now();
            let n = 200_000;
            let endings = endings(&mut session, n);
            eprintln!("{endings:?} {:?} {}/s", start.elapsed(), n as f64 / start.elapsed().as_secs_f64());
            let _ = Ending::Exited(Exit::Aborted);
        }));
    }
    under_control::run(tests);
}
