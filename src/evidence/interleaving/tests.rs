use super::*;

fn step(thread: ThreadId, kind: OpKind, object: &str, place: &str) -> Step {
    Step { thread, kind, object: object.to_owned(), place: place.to_owned(), note: None, mark: None }
}

fn noted(step: Step, note: &str) -> Step {
    Step { note: Some(note.to_owned()), ..step }
}

#[test]
fn a_lost_update_reads_as_it_happened() {
    let steps = [
        step(0, OpKind::ThreadCreate, "", "lost_update.c:14 main"),
        step(0, OpKind::ThreadCreate, "", "lost_update.c:15 main"),
        noted(step(1, OpKind::Load, "0x7f10", "lost_update.c:6 add"), "0"),
        noted(step(2, OpKind::Load, "0x7f10", "lost_update.c:6 add"), "0"),
        noted(step(2, OpKind::Store, "0x7f10", "lost_update.c:6 add"), "1"),
        step(2, OpKind::ThreadEnd, "", ""),
        noted(step(1, OpKind::Store, "0x7f10", "lost_update.c:6 add"), "1"),
        step(1, OpKind::Lock, "log", "lost_update.c:8 add"),
        step(1, OpKind::Store, "0x7f00", "lost_update.c:8 add"),
        step(1, OpKind::Store, "0x7f10", "lost_update.c:8 add"),
    ];
    let expected = "\
interleaving: 10 steps, 3 switches, main is thread 0
    …  1 step of what only one thread accesses
    0  thread 0 │ lost_update.c:14 main: begins a thread
    1  thread 0 │ lost_update.c:15 main: begins a thread
    2 ▸    thread 1 │ lost_update.c:6 add: loads o1 (0)
    3 ▸        thread 2 │ lost_update.c:6 add: loads o1 (0), stores o1 (1)
    5          thread 2 │ ends
    6 ▸    thread 1 │ lost_update.c:6 add: stores o1 (1)
    7      thread 1 │ lost_update.c:8 add: locks log, stores o1
  end  failed-assertion: lost_update.c:18: counter == 2
       in thread 0
";
    let ending = "failed-assertion: lost_update.c:18: counter == 2\nin thread 0\n";
    assert_eq!(text(&steps, ending, MAX_LINES), expected);
}

#[test]
fn nothing_that_happened_is_said_in_one_line() {
    assert_eq!(text(&[], "", MAX_LINES), "interleaving: 0 steps, 0 switches, main is thread 0\n");
    let one = text(&[step(0, OpKind::Yield, "", "")], "", MAX_LINES);
    assert_eq!(one, "interleaving: 1 step, 0 switches, main is thread 0\n    0  thread 0 │ yields\n");
}

#[test]
fn a_loop_on_one_line_stays_one_line() {
    let mut steps = vec![step(0, OpKind::Load, "flag", "spin.c:3 main"); 1000];
    assert!(text(&steps, "", MAX_LINES).contains("    0  thread 0 │ spin.c:3 main: loads flag ×1000\n"));
    for index in (1..1000).step_by(2) {
        steps[index] = step(0, OpKind::Pause, "", "spin.c:3 main");
    }
    steps.push(step(0, OpKind::Store, "flag", "spin.c:3 main"));
    let shown = text(&steps, "", MAX_LINES);
    let expected = "loads flag, pauses, loads flag, pauses, … 996 more …, stores flag\n";
    assert!(shown.lines().count() == 2 && shown.ends_with(expected), "{shown}");
}

#[test]
fn a_long_interleaving_keeps_its_switches_and_its_end_and_counts_what_it_leaves_out() {
    let run =
        |thread, count: usize| (0..count).map(move |line| step(thread, OpKind::Load, "x", &format!("a.c:{line} f")));
    let steps: Vec<Step> = run(0, 50).chain(run(1, 3)).chain(run(0, 300)).collect();
    let shown = text(&steps, "livelock", MAX_LINES);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[1], "    …  49 steps left out");
    assert_eq!(lines[2], "   49  thread 0 │ a.c:49 f: loads x");
    assert_eq!(lines[3], "   50 ▸    thread 1 │ a.c:0 f: loads x");
    assert_eq!(lines[4], "   51      thread 1 │ a.c:1 f: loads x", "a single line is not left out");
    assert_eq!(lines[6], "   53 ▸thread 0 │ a.c:0 f: loads x");
    assert_eq!(lines[7], "    …  249 steps left out");
    assert_eq!(lines.len(), 8 + LAST_LINES + 1);
}

#[test]
fn an_interleaving_of_nothing_but_switches_has_a_bound_too() {
    let steps: Vec<Step> =
        (0..100_000).map(|index| step((index % 500) as ThreadId, OpKind::Lock, "m", "a.c:1 f")).collect();
    let shown = text(&steps, "deadlock", MAX_LINES);
    assert_eq!(shown.lines().count(), 1 + 1 + MAX_LINES + 1);
    assert!(shown.contains("    …  99800 steps left out\n"));
    assert!(shown.lines().all(|line| line.chars().count() < 120));
}

#[test]
fn a_name_that_was_given_is_not_given_again() {
    let steps = [
        step(0, OpKind::Load, "0x10", "a.c:1 f"),
        step(0, OpKind::Load, "o1", "a.c:1 f"),
        step(0, OpKind::Store, "0x10", "a.c:1 f"),
        step(0, OpKind::Store, "0x20", "a.c:1 f"),
    ];
    assert!(text(&steps, "", MAX_LINES).ends_with("loads o2, loads o1, stores o2, stores o3\n"));
}

#[test]
fn line_ends_and_escapes_in_names_do_no_harm() {
    let steps = [noted(step(u16::MAX, OpKind::Lock, "a\nb", "x\ty.c:1 f"), "held\r\n\u{1b}[2J")];
    assert!(text(&steps, "", MAX_LINES).ends_with("thread 65535 │ x y.c:1 f: locks a b (held [2J)\n"));
}

#[test]
fn rounds_of_a_loop_are_shown_once_with_their_number() {
    let round = [step(1, OpKind::Load, "flag", "spin.c:3 wait"), step(1, OpKind::Yield, "", "spin.c:4 wait")];
    let mut steps: Vec<Step> = round.iter().cloned().cycle().take(40).collect();
    steps.push(step(0, OpKind::Store, "flag", "spin.c:9 main"));
    let shown = text(&steps, "", MAX_LINES);
    let expected = "    0      thread 1 │ spin.c:3 wait: loads flag\n    1      thread 1 │ spin.c:4 wait: yields\n                   … \
                    these 2 lines 20 times\n   40 ▸thread 0 │ spin.c:9 main: stores flag\n";
    assert!(shown.ends_with(expected), "{shown}");
}

#[test]
fn what_is_marked_is_shown_however_long_the_rest_is() {
    let mut steps: Vec<Step> =
        (0..10_000).map(|index| step((index % 500) as ThreadId, OpKind::Lock, "m", "a.c:1 f")).collect();
    steps[7].mark = Some("one access of the race".to_owned());
    let shown = text(&steps, "", MAX_LINES);
    assert!(shown.contains("locks m  ◀ one access of the race\n"), "{shown}");
    assert_eq!(shown.lines().filter(|line| line.contains('│')).count(), MAX_LINES);
}
