//! Programs as C++: real atomic operations, real calls of POSIX threads and of the kernel.

use std::fmt::Write;

use super::program::{MutexKind, Operation, Pausing, Program, Step};

const PRELUDE: &str = include_str!("prelude.hpp");

/// One source of all of these; its `main` runs the one whose number is its argument.
pub fn source(programs: &[Program]) -> String {
    let mut text = format!("constexpr int programs = {};\n{PRELUDE}", programs.len());
    for (number, program) in programs.iter().enumerate() {
        text += &functions(number, program);
    }
    text += "\nint main(int, char **arguments) {\n  switch (std::atoi(arguments[1])) {\n";
    for number in 0..programs.len() {
        let _ = writeln!(text, "  case {number}: program_{number}(); return 0;");
    }
    text += "  default: return 1;\n  }\n}\n";
    text
}

/// The functions of one program.
pub fn functions(number: usize, program: &Program) -> String {
    let mut text = String::new();
    for (thread, steps) in program.threads.iter().enumerate() {
        let _ = writeln!(text, "\nstatic void *thread_{number}_{thread}(void *argument) {{");
        text += "  auto *plains = static_cast<Apart<int> *>(argument);\n";
        text += "  int last = 0, holds[2] = {}, reads = 0, writes = 0;\n";
        for step in steps {
            text += &statement(thread, step);
        }
        text += "  (void)plains, (void)last, (void)holds, (void)reads, (void)writes;\n  return nullptr;\n}\n";
    }
    let _ = writeln!(text, "\nstatic void program_{number}() {{");
    for (mutex, kind) in program.mutexes.iter().enumerate() {
        let kind = match kind {
            MutexKind::Normal => "PTHREAD_MUTEX_NORMAL",
            MutexKind::Recursive => "PTHREAD_MUTEX_RECURSIVE",
            MutexKind::ErrorCheck => "PTHREAD_MUTEX_ERRORCHECK",
        };
        let _ = writeln!(text, "  initialise(mutexes[{mutex}].object, {kind});");
    }
    let _ = writeln!(text, "  sem_init(&semaphore.object, 0, {});", program.semaphore);
    let names: Vec<_> = (0..program.threads.len()).map(|thread| format!("thread_{number}_{thread}")).collect();
    let _ = writeln!(text, "  run(judge_plains[{number}], {});\n}}", names.join(", "));
    text
}

fn statement(thread: usize, step: &Step) -> String {
    let (condition, body) = code(step.operation);
    let guard = step.guard.map(|guard| format!("last {} {}", if guard.is { "==" } else { "!=" }, guard.value));
    let conditions: Vec<_> = guard.into_iter().chain(condition).collect();
    let recorded = match body {
        Code::Value(value) => format!("last = record({thread}, {value});"),
        Code::Statements(statements) => format!("{statements} last = record({thread}, 0);"),
        Code::Lock { call, held } => {
            format!("if ((last = record({thread}, result({call}))) == 0) {held};")
        }
    };
    match conditions.as_slice() {
        [] => format!("  {{ {recorded} }}\n"),
        conditions => format!("  if ({}) {{ {recorded} }}\n", conditions.join(" && ")),
    }
}

enum Code {
    /// An expression, whose value is recorded.
    Value(String),
    /// Statements, after which 0 is recorded.
    Statements(String),
    /// A call that gives 0 if it took a lock, which is then noted.
    Lock { call: String, held: String },
}

/// What must be so for the operation not to be left out, and its code.
fn code(operation: Operation) -> (Option<String>, Code) {
    let atomic = |number: usize| format!("judge_atomics[{number}].object");
    let plain = |number: usize| format!("plains[{number}].object");
    let lock = |function: &str, mutex: usize, more: &str| Code::Lock {
        call: format!("pthread_mutex_{function}(&mutexes[{mutex}].object{more})"),
        held: format!("++holds[{mutex}]"),
    };
    let wait = |function: &str, condition: usize, mutex: usize, more: &str| {
        format!("pthread_cond_{function}(&conditions[{condition}].object, &mutexes[{mutex}].object{more})")
    };
    let read_write = |function: &str, held: &str| Code::Lock {
        call: format!("pthread_rwlock_{function}(&read_write_lock.object)"),
        held: held.to_owned(),
    };
    let code = match operation {
        Operation::Load(number) => Code::Value(format!("{}.load()", atomic(number))),
        Operation::Store(number, value) => Code::Statements(format!("{}.store({value});", atomic(number))),
        Operation::Exchange(number, value) => Code::Value(format!("{}.exchange({value})", atomic(number))),
        Operation::Add(number, value) => Code::Value(format!("{}.fetch_add({value})", atomic(number))),
        Operation::CompareExchange { atomic: number, expected, desired } => {
            Code::Value(format!("compare_exchange({}, {expected}, {desired})", atomic(number)))
        }
        Operation::Read(number) => Code::Value(plain(number)),
        Operation::Write(number, value) => Code::Statements(format!("{} = {value};", plain(number))),
        Operation::Increment(number) => Code::Value(format!("increment({})", plain(number))),
        Operation::Lock(mutex) => lock("lock", mutex, ""),
        Operation::TryLock(mutex) => lock("trylock", mutex, ""),
        Operation::TimedLock(mutex) => lock("timedlock", mutex, ", &far_away"),
        Operation::Unlock(mutex) => {
            let call = format!("pthread_mutex_unlock(&mutexes[{mutex}].object); --holds[{mutex}];");
            return (Some(format!("holds[{mutex}] > 0")), Code::Statements(call));
        }
        Operation::Wait { condition, mutex } => {
            let call = wait("wait", condition, mutex, "");
            return (Some(format!("holds[{mutex}] == 1")), Code::Value(format!("result({call})")));
        }
        Operation::TimedWait { condition, mutex } => {
            let call = wait("timedwait", condition, mutex, ", &far_away");
            return (Some(format!("holds[{mutex}] == 1")), Code::Value(format!("result({call})")));
        }
        Operation::WaitUntil { condition, mutex, plain: number, value } => {
            let call = wait("wait", condition, mutex, "");
            let code = format!("while ({} != {value}) {call};", plain(number));
            return (Some(format!("holds[{mutex}] == 1")), Code::Statements(code));
        }
        Operation::Signal(condition) => {
            Code::Statements(format!("pthread_cond_signal(&conditions[{condition}].object);"))
        }
        Operation::Broadcast(condition) => {
            Code::Statements(format!("pthread_cond_broadcast(&conditions[{condition}].object);"))
        }
        Operation::SemaphoreWait => Code::Value("result_of_call(sem_wait(&semaphore.object))".to_owned()),
        Operation::SemaphoreTryWait => Code::Value("result_of_call(sem_trywait(&semaphore.object))".to_owned()),
        Operation::SemaphoreTimedWait => {
            Code::Value("result_of_call(sem_timedwait(&semaphore.object, &far_away))".to_owned())
        }
        Operation::SemaphorePost => Code::Statements("sem_post(&semaphore.object);".to_owned()),
        Operation::FutexWait { atomic: number, expected } => {
            Code::Value(format!("futex_wait({}, {expected}, false)", atomic(number)))
        }
        Operation::FutexTimedWait { atomic: number, expected } => {
            Code::Value(format!("futex_wait({}, {expected}, true)", atomic(number)))
        }
        Operation::FutexWake { atomic: number, most } => {
            Code::Value(format!("result_of_call(futex({}, FUTEX_WAKE_PRIVATE, {most}, nullptr))", atomic(number)))
        }
        Operation::ReadLock => read_write("rdlock", "++reads"),
        Operation::TryReadLock => read_write("tryrdlock", "++reads"),
        Operation::WriteLock => read_write("wrlock", "++writes"),
        Operation::TryWriteLock => read_write("trywrlock", "++writes"),
        Operation::ReadWriteUnlock => {
            let call = "pthread_rwlock_unlock(&read_write_lock.object); --(writes ? writes : reads);";
            return (Some("reads + writes > 0".to_owned()), Code::Statements(call.to_owned()));
        }
        Operation::Sleep => Code::Value("sleep_a_while()".to_owned()),
        Operation::Pause(pausing) => Code::Statements(format!("{};", pause(pausing))),
        Operation::Spin { atomic: number, value, rounds, pausing } => {
            Code::Value(format!("spin({}, {value}, {rounds}, [] {{ {}; }})", atomic(number), pause(pausing)))
        }
    };
    (None, code)
}

fn pause(pausing: Pausing) -> &'static str {
    match pausing {
        Pausing::Nothing => "",
        Pausing::Pause => "pause_processor()",
        Pausing::Yield => "sched_yield()",
    }
}
