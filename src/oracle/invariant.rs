//! The oracle of the objects' promises: mutual exclusion, counts, nothing early, nothing lost or doubled.
//!
//! It concludes only what holds however overlapping operations were ordered. A *stamp* is the index of an
//! event from 1; an operation whose end has a smaller stamp than another's beginning came before it.

use super::plan::{NONE, Plan};
use super::{Wrong, wrong};
use crate::execution::{Event, EventKind};
use crate::finding::{Failure, OracleName, Verdict};
use crate::program::{CLOSED, Operation};

/// What an operation under way remembers of its beginning. A task is in one at a time.
#[derive(Clone, Copy, Default)]
struct Call {
    stamp: u32,
    /// `Sleep`: the time. `WaitEvent`: 1 if the event may have been set. `Receive`: the latest beginning of a
    /// send whose value had been received. `Send`: 1 if the channel was closed.
    seen: i64,
    /// `Receive`: values that the channel owed, which had been sent and not received.
    owed: i64,
}

#[derive(Clone, Copy, Default)]
struct ManualEvent {
    may_be_set: bool,
    /// Calls of `SetEvent`, and those that returned.
    sets: u32,
    sets_returned: u32,
    /// The stamps of the last call of `SetEvent`, and of the last return.
    last_set: u32,
    last_set_returned: u32,
    waits_returned: u32,
}

#[derive(Clone, Copy, Default)]
struct Channel {
    sends_returned: i64,
    receives_called: i64,
    receives_returned: i64,
    values_received: i64,
    close_called: bool,
    close_returned: bool,
    /// The latest beginning of a send whose value a receive has returned.
    latest_received: u32,
    /// The latest call of a receive that found the channel closed and drained.
    latest_drained: u32,
}

/// A send, by the place of its operation.
#[derive(Clone, Copy, Default)]
struct Sent {
    called: u32,
    returned: u32,
    refused: bool,
    received: bool,
}

pub(super) struct Invariant {
    calls: Vec<Call>,
    /// Who certainly holds each mutex.
    holders: Vec<u32>,
    /// How many mutexes each task certainly holds.
    held: Vec<u32>,
    /// Permits that may be left.
    permits: Vec<i64>,
    events: Vec<ManualEvent>,
    latches: Vec<u32>,
    /// Arrivals at each barrier: calls, and those that returned.
    arrivals: Vec<(u32, u32)>,
    /// By the place of an arrival: how many arrivals complete its phase, at least.
    needed: Vec<u32>,
    channels: Vec<Channel>,
    sent: Vec<Sent>,
    /// Whether the program has sends at all.
    sends: bool,
}

impl Invariant {
    pub fn new(plan: &Plan) -> Self {
        let objects = &plan.objects;
        let operations = plan.operations.len();
        let sends = plan.operations.iter().any(|planned| matches!(planned.operation, Operation::Send(..)));
        let arrives = plan.operations.iter().any(|planned| matches!(planned.operation, Operation::BarrierArrive(_)));
        Self {
            calls: vec![Call::default(); plan.tasks.len()],
            holders: vec![NONE; objects.mutexes as usize],
            held: vec![0; plan.tasks.len()],
            permits: vec![0; objects.semaphores.len()],
            events: vec![ManualEvent::default(); objects.events.len()],
            latches: objects.latches.clone(),
            arrivals: vec![(0, 0); objects.barriers.len()],
            needed: vec![0; if arrives { operations } else { 0 }],
            channels: vec![Channel::default(); objects.channels.len()],
            sent: vec![Sent::default(); if sends { operations } else { 0 }],
            sends,
        }
    }

    pub fn reset(&mut self, plan: &Plan) {
        // `calls` and `needed` are written at a beginning before they are read at an end.
        self.holders.fill(NONE);
        self.held.fill(0);
        for (permits, &initial) in self.permits.iter_mut().zip(&plan.objects.semaphores) {
            *permits = i64::from(initial);
        }
        self.events.fill(ManualEvent::default());
        self.latches.copy_from_slice(&plan.objects.latches);
        self.arrivals.fill((0, 0));
        self.channels.fill(Channel::default());
        self.sent.fill(Sent::default());
    }

    #[inline]
    pub fn observe(&mut self, plan: &Plan, event: &Event, stamp: u32) -> Result<(), Wrong> {
        match event.kind {
            EventKind::OperationBegin => self.called(plan, event, stamp),
            EventKind::OperationEnd => return self.returned(plan, event, stamp),
            EventKind::OperationFail if self.held[event.task as usize] > 0 => self.failed(plan, event),
            _ => {}
        }
        Ok(())
    }

    fn called(&mut self, plan: &Plan, event: &Event, stamp: u32) {
        let call = &mut self.calls[event.task as usize];
        call.stamp = stamp;
        match *plan.operation(event) {
            Operation::Unlock(id) => {
                self.holders[id as usize] = NONE;
                self.held[event.task as usize] -= 1;
            }
            Operation::Release(id) => self.permits[id as usize] += 1,
            Operation::SetEvent(id) => {
                let set = &mut self.events[id as usize];
                set.may_be_set = true;
                set.sets += 1;
                set.last_set = stamp;
            }
            Operation::WaitEvent(id) => call.seen = i64::from(self.events[id as usize].may_be_set),
            Operation::LatchArrive(id) => {
                let left = &mut self.latches[id as usize];
                *left = left.saturating_sub(1);
            }
            Operation::BarrierArrive(id) => {
                let (called, returned) = &mut self.arrivals[id as usize];
                *called += 1;
                // Whoever has arrived by now is in this phase or an earlier one.
                let participants = plan.objects.barriers[id as usize];
                self.needed[plan.at(event)] = (*returned / participants + 1) * participants;
            }
            Operation::Sleep(_) => call.seen = event.value,
            Operation::Send(id, _) => {
                call.seen = i64::from(self.channels[id as usize].close_returned);
                self.sent[plan.at(event)].called = stamp;
            }
            Operation::Receive(id) => {
                let channel = &mut self.channels[id as usize];
                channel.receives_called += 1;
                call.seen = i64::from(channel.latest_received);
                call.owed = channel.sends_returned;
            }
            Operation::Close(id) => self.channels[id as usize].close_called = true,
            _ => {}
        }
    }

    fn returned(&mut self, plan: &Plan, event: &Event, stamp: u32) -> Result<(), Wrong> {
        let call = self.calls[event.task as usize];
        match *plan.operation(event) {
            Operation::Lock(id) => {
                let holder = &mut self.holders[id as usize];
                if *holder != NONE {
                    let detail = format!("task {holder} has not begun to unlock it");
                    return Err(broken(plan, event, "two tasks hold one mutex", &detail));
                }
                *holder = event.task;
                self.held[event.task as usize] += 1;
            }
            Operation::Acquire(id) => {
                let permits = &mut self.permits[id as usize];
                *permits -= 1;
                if *permits < 0 {
                    return Err(broken(plan, event, "more permits than there are", ""));
                }
            }
            Operation::SetEvent(id) => {
                let set = &mut self.events[id as usize];
                set.sets_returned += 1;
                set.last_set_returned = stamp;
            }
            Operation::ResetEvent(id) => {
                let reset = &mut self.events[id as usize];
                // Unset for certain only if every set was over when the reset was called.
                if reset.sets == reset.sets_returned && reset.last_set_returned < call.stamp {
                    reset.may_be_set = false;
                }
            }
            Operation::WaitEvent(id) => return self.waited(plan, event, id, call),
            Operation::LatchWait(id) if self.latches[id as usize] > 0 => {
                let detail = format!("{} arrivals are missing", self.latches[id as usize]);
                return Err(broken(plan, event, "a latch opened early", &detail));
            }
            Operation::BarrierArrive(id) => self.arrivals[id as usize].1 += 1,
            Operation::BarrierWait(id) => {
                let needed = self.needed[plan.operations[plan.at(event)].arrival as usize];
                let arrived = self.arrivals[id as usize].0;
                if arrived < needed {
                    let detail = format!("{arrived} arrivals, where the phase needs {needed}");
                    return Err(broken(plan, event, "a barrier opened early", &detail));
                }
            }
            Operation::Sleep(microseconds) => {
                let slept = event.value.saturating_sub(call.seen);
                if slept < i64::from(microseconds) {
                    let detail = format!("after {slept} microseconds");
                    return Err(broken(plan, event, "a timer fired early", &detail));
                }
            }
            Operation::Send(id, _) => return self.send_returned(plan, event, id, call, stamp),
            Operation::Receive(id) => return self.received(plan, event, id, call),
            Operation::Close(id) => self.channels[id as usize].close_returned = true,
            _ => {}
        }
        Ok(())
    }

    fn waited(&mut self, plan: &Plan, event: &Event, id: u32, call: Call) -> Result<(), Wrong> {
        let waited = &mut self.events[id as usize];
        waited.waits_returned += 1;
        if plan.is_auto(id) {
            if waited.waits_returned > waited.sets {
                return Err(broken(plan, event, "an event let more through than were set", ""));
            }
        } else if call.seen == 0 && waited.last_set < call.stamp {
            return Err(broken(plan, event, "a wait for an event that was not set", ""));
        }
        Ok(())
    }

    fn send_returned(&mut self, plan: &Plan, event: &Event, id: u32, call: Call, stamp: u32) -> Result<(), Wrong> {
        let channel = &mut self.channels[id as usize];
        let sent = &mut self.sent[plan.at(event)];
        sent.returned = stamp;
        match event.value {
            0 => {
                sent.refused = true;
                if !channel.close_called {
                    return Err(broken(plan, event, "a send refused by an open channel", ""));
                }
                if sent.received && plan.sends[id as usize].is_some() {
                    return Err(broken(plan, event, "a value received whose send was refused", ""));
                }
            }
            1 => {
                if call.seen == 1 {
                    return Err(broken(plan, event, "a send into a closed channel", ""));
                }
                channel.sends_returned += 1;
                let capacity = i64::from(plan.objects.channels[id as usize]);
                if channel.sends_returned > channel.receives_called + capacity {
                    let detail =
                        format!("{} values sent, {} receives", channel.sends_returned, channel.receives_called);
                    return Err(broken(plan, event, "more values in a channel than it holds", &detail));
                }
            }
            other => {
                let detail = format!("it gave {other}, which is neither sent nor closed");
                return Err(broken(plan, event, "a wrong value", &detail));
            }
        }
        Ok(())
    }

    fn received(&mut self, plan: &Plan, event: &Event, id: u32, call: Call) -> Result<(), Wrong> {
        let channel = &mut self.channels[id as usize];
        channel.receives_returned += 1;
        if event.value == CLOSED {
            if !channel.close_called {
                return Err(broken(plan, event, "an open channel said it was closed", ""));
            }
            // Who else is receiving may have what was sent before; nobody else can.
            let under_way = channel.receives_called - channel.receives_returned;
            if call.owed > channel.values_received + under_way {
                return Err(broken(plan, event, "a closed channel lost what was in it", ""));
            }
            channel.latest_drained = channel.latest_drained.max(call.stamp);
            return Ok(());
        }
        channel.values_received += 1;
        let Some(sends) = &plan.sends[id as usize] else { return Ok(()) };
        let sent = sends.get(&event.value).map(|&place| &mut self.sent[place as usize]);
        let Some(sent) = sent.filter(|sent| sent.called > 0) else {
            let detail = format!("{} was not sent", event.value);
            return Err(broken(plan, event, "a value out of nowhere", &detail));
        };
        if std::mem::replace(&mut sent.received, true) {
            let detail = format!("{} was received before", event.value);
            return Err(broken(plan, event, "a value received twice", &detail));
        }
        if sent.refused {
            return Err(broken(plan, event, "a value received whose send was refused", ""));
        }
        // Before this receive was called, another had returned a value whose send was called after this
        // value's send had returned.
        if sent.returned > 0 && call.seen > i64::from(sent.returned) {
            return Err(broken(plan, event, "values received out of order", ""));
        }
        channel.latest_received = channel.latest_received.max(sent.called);
        Ok(())
    }

    /// A task that fails gives back what it holds, from here on.
    fn failed(&mut self, plan: &Plan, event: &Event) {
        if matches!(plan.operation(event), Operation::AwaitCatch(_)) {
            return;
        }
        for holder in &mut self.holders {
            if *holder == event.task {
                *holder = NONE;
            }
        }
        self.held[event.task as usize] = 0;
    }

    /// What must hold after an execution that came to its end.
    pub fn finish(&self, plan: &Plan) -> Result<(), Wrong> {
        if !self.sends {
            return Ok(());
        }
        for (id, channel) in self.channels.iter().enumerate() {
            let Some(sends) = &plan.sends[id] else { continue };
            let under_way = channel.receives_called - channel.receives_returned;
            // A value is missing if a later one was received, or the channel was drained, after it was sent.
            let limit = channel.latest_drained.max(channel.latest_received);
            let missing = |sent: &Sent| sent.returned > 0 && !sent.refused && !sent.received && sent.returned < limit;
            let lost = sends.values().filter(|&&place| missing(&self.sent[place as usize])).count();
            // A receive that the shutdown cut short may have had a value already.
            if lost as i64 > under_way {
                let message =
                    format!("channel {id}: {lost} values were sent and never received, though later ones were");
                return Err(Box::new(Failure {
                    verdict: Verdict::Invariant,
                    oracle: OracleName::Invariant,
                    message,
                    cause: "a value lost: receive".to_owned(),
                }));
            }
        }
        Ok(())
    }
}

fn broken(plan: &Plan, event: &Event, rule: &str, detail: &str) -> Wrong {
    wrong(plan, event, OracleName::Invariant, Verdict::Invariant, rule, detail)
}

#[cfg(test)]
mod tests {
    use super::super::history::{cause, judge, judge_two};
    use crate::finding::Judgement;
    use crate::program::CLOSED;

    fn right(judgement: Judgement) {
        assert_eq!(judgement, Judgement::Right);
    }

    #[test]
    fn two_holders_of_a_mutex_are_noticed_and_a_hand_over_is_not() {
        let judged = |middle: &str| judge_two("mutexes 1", "lock 0, unlock 0", "lock 0, unlock 0", middle);
        assert_eq!(cause(judged("1.0( 1.0) 2.0( 2.0)")), "two tasks hold one mutex: lock");
        // Task 1 has begun to give it back, and may have, though it has not come to say so.
        right(judged("1.0( 1.0) 2.0( 1.1( 2.0) 1.1) 2.1( 2.1)"));
    }

    #[test]
    fn a_failing_task_gives_its_mutex_back() {
        let program = "mutexes 1\ntask 0 main int\nawait-catch 1\nlock 0\nunlock 0\ntask 1 worker int\nlock 0\nthrow 3";
        let history = "+0 0[ 0.0( +1 1[@1 1.0( 1.0) 1.1( 1.1!3 1!3 -1 0.0!3 0.1( 0.1) 0.2( 0.2) 0]=1000006 -0";
        right(judge(program, history));
    }

    #[test]
    fn permits_are_not_made_up_but_may_come_from_a_release_under_way() {
        let judged = |middle: &str| judge_two("semaphores 0", "acquire 0", "release 0", middle);
        assert_eq!(cause(judged("1.0( 1.0)")), "more permits than there are: acquire");
        right(judged("1.0( 2.0( 1.0) 2.0)"));
    }

    #[test]
    fn a_manual_event_stays_set_until_a_reset_that_no_set_overlaps() {
        let judged = |middle: &str| judge_two("events manual", "wait-event 0", "set-event 0, reset-event 0", middle);
        assert_eq!(cause(judged("1.0( 1.0)")), "a wait for an event that was not set: wait-event");
        right(judged("2.0( 2.0) 2.1( 1.0( 2.1) 1.0)"));
        assert_eq!(cause(judged("2.0( 2.0) 2.1( 2.1) 1.0( 1.0)")), "a wait for an event that was not set: wait-event");
        let judged = |middle: &str| judge_two("events manual", "set-event 0", "reset-event 0, wait-event 0", middle);
        // The set overlaps the reset, so it may have come after it.
        right(judged("1.0( 2.0( 1.0) 2.0) 2.1( 2.1)"));
    }

    #[test]
    fn an_automatic_event_lets_one_through_per_set() {
        let judged =
            |middle: &str| judge_two("events auto", "wait-event 0, wait-event 0", "set-event 0, set-event 0", middle);
        assert_eq!(
            cause(judged("2.0( 2.0) 1.0( 1.0) 1.1( 1.1)")),
            "an event let more through than were set: wait-event"
        );
        right(judged("2.0( 2.0) 1.0( 1.0) 1.1( 2.1( 1.1) 2.1)"));
    }

    #[test]
    fn a_latch_and_a_barrier_do_not_open_early() {
        let judged = |middle: &str| judge_two("latches 2", "latch-arrive 0, latch-wait 0", "latch-arrive 0", middle);
        assert_eq!(cause(judged("1.0( 1.0) 1.1( 1.1)")), "a latch opened early: latch-wait");
        right(judged("1.0( 1.0) 1.1( 2.0( 1.1) 2.0)"));
        let both = "barrier-arrive 0, barrier-wait 0, barrier-arrive 0, barrier-wait 0";
        let judged = |middle: &str| judge_two("barriers 2", both, both, middle);
        assert_eq!(cause(judged("1.0( 1.0) 1.1( 1.1)")), "a barrier opened early: barrier-wait");
        let first = "1.0( 2.0( 1.0) 2.0) 1.1( 2.1( 1.1) 2.1)";
        assert_eq!(cause(judged(&format!("{first} 1.2( 1.2) 1.3( 1.3)"))), "a barrier opened early: barrier-wait");
        right(judged(&format!("{first} 1.2( 1.2) 1.3( 2.2( 1.3) 2.2) 2.3( 2.3)")));
    }

    #[test]
    fn timers_do_not_fire_early() {
        let judged = |middle: &str| judge_two("", "sleep 10", "yield", middle);
        assert_eq!(cause(judged("2.0( 2.0) 1.0(=100 1.0)=109")), "a timer fired early: sleep");
        right(judged("2.0( 2.0) 1.0(=100 1.0)=110"));
    }

    #[test]
    fn values_are_received_once_in_order_and_only_if_sent() {
        let judged = |middle: &str| judge_two("channels 2", "send 0 7, send 0 8", "receive 0, receive 0", middle);
        assert_eq!(cause(judged("2.0( 2.0)=7")), "a value out of nowhere: receive");
        let sent = "1.0( 1.0)=1 1.1( 1.1)=1";
        assert_eq!(cause(judged(&format!("{sent} 2.0( 2.0)=7 2.1( 2.1)=7"))), "a value received twice: receive");
        assert_eq!(cause(judged(&format!("{sent} 2.0( 2.0)=8 2.1( 2.1)=7"))), "values received out of order: receive");
        right(judged(&format!("{sent} 2.0( 2.0)=7 2.1( 2.1)=8")));
        // Before its send has said that it is done, a value may be there.
        right(judged("1.0( 2.0( 2.0)=7 1.0)=1 1.1( 1.1)=1 2.1( 2.1)=8"));
    }

    #[test]
    fn overlapping_receives_may_come_back_in_any_order() {
        let sends = "channels 2\ntask 0 main void\nsend 0 7\nsend 0 8\nwhen-all 1 2\ntask 1 worker void\nreceive 0\n\
            task 2 worker void\nreceive 0";
        let begin = "+0 0[ 0.0( 0.0)=1 0.1( 0.1)=1 0.2( +1 +2 1[@1 2[@2";
        let end = "1] 2] 0.2) 0] -0 -1 -2";
        right(judge(sends, &format!("{begin} 1.0( 2.0( 1.0)=8 2.0)=7 {end}")));
        let one_after_the_other = judge(sends, &format!("{begin} 1.0( 1.0)=8 2.0( 2.0)=7 {end}"));
        assert_eq!(cause(one_after_the_other), "values received out of order: receive");
    }

    #[test]
    fn a_channel_holds_no_more_than_its_capacity() {
        let judged = |middle: &str| judge_two("channels 1", "send 0 7, send 0 8", "receive 0", middle);
        assert_eq!(cause(judged("1.0( 1.0)=1 1.1( 1.1)=1")), "more values in a channel than it holds: send");
        right(judged("1.0( 1.0)=1 1.1( 2.0( 1.1)=1 2.0)=7"));
    }

    #[test]
    fn closing_refuses_what_comes_after_and_keeps_what_came_before() {
        let judged = |middle: &str| judge_two("channels 1", "send 0 7, receive 0", "close 0", middle);
        assert_eq!(cause(judged("1.0( 1.0)=0")), "a send refused by an open channel: send");
        assert_eq!(cause(judged("2.0( 2.0) 1.0( 1.0)=1")), "a send into a closed channel: send");
        right(judged(&format!("2.0( 1.0( 1.0)=0 2.0) 1.1( 1.1)={CLOSED}")));
        let lost = judged(&format!("1.0( 1.0)=1 2.0( 2.0) 1.1( 1.1)={CLOSED}"));
        assert_eq!(cause(lost), "a closed channel lost what was in it: receive");
        assert_eq!(
            cause(judged(&format!("1.0( 1.0)=1 1.1( 1.1)={CLOSED}"))),
            "an open channel said it was closed: receive"
        );
        right(judged("1.0( 1.0)=1 2.0( 2.0) 1.1( 1.1)=7"));
    }

    #[test]
    fn a_value_that_is_skipped_is_lost() {
        let judged = |middle: &str| judge_two("channels 3", "send 0 7, send 0 8", "receive 0", middle);
        assert_eq!(cause(judged("1.0( 1.0)=1 1.1( 1.1)=1 2.0( 2.0)=8")), "a value lost: receive");
        right(judged("1.0( 1.0)=1 1.1( 1.1)=1 2.0( 2.0)=7"));
    }
}
