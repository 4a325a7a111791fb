"""The extension of gdb that `threadbare debug` loads: virtual threads, scheduling and coroutines, by the command `tb`."""

import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from coroutines import show_coroutines
from evaluation import Evaluation
from execution import CASE, ENDED, LAST, NEVER, NOT_BEGUN, STATE, STOP, STOP_AT, STOP_AT_SWITCH, State, write_word
from stacks import choose_own_frame, condition, named, stack_of, view

# Frames of one stack that are shown.
MOST_SHOWN = 12


def where():
    state = State()
    own = choose_own_frame()
    at = f", in {named(own)}" if own else ""
    if state.is_over():
        print(f"the execution is over after {state.step} steps, in thread {state.thread}{at}: {state.ending()}")
    elif not state.is_at_step():
        print(f"after {state.step} steps: thread {state.thread}{at}")
    else:
        print(f"step {state.step}: thread {state.thread} {state.doing()} next{at}")


class Stop(gdb.Breakpoint):
    """At the process's own stops."""

    def __init__(self):
        super().__init__(STOP, internal=True)
        self.silent = True


class Report(gdb.Breakpoint):
    """Where a sanitizer has found something."""

    def __init__(self, symbol):
        super().__init__(symbol, internal=True)
        self.silent = True


def begin():
    # Handlers of the worker's tell what another process sent it.
    for signal in ("SIGTERM", "SIGHUP"):
        gdb.execute(f"handle {signal} nostop noprint pass", to_string=True)
    Stop()
    for symbol in ("__tsan_on_report", "__asan_on_error"):
        Report(symbol)


def on_stop(event):
    stopped = getattr(event, "breakpoints", [])
    if any(isinstance(breakpoint, Stop) for breakpoint in stopped):
        Evaluation.stopped()
        where()
    elif any(isinstance(breakpoint, Report) for breakpoint in stopped):
        own = choose_own_frame()
        state = State()
        at = f", in {named(own)}" if own else ""
        print(f"a sanitizer reports, after {state.step} steps, in thread {state.thread}{at}")


def go_on(stop_at, stop_at_switch):
    state = State()
    if state.is_over():
        raise gdb.GdbError("the execution is over; `continue` has it judged, `tb start` begins anew")
    if stop_at != NEVER and stop_at <= state.step:
        raise gdb.GdbError(f"step {stop_at} is over: this is step {state.step}; `tb start` begins anew")
    write_word(LAST, state.thread)  # It may have begun, or gone on, and made no step yet.
    write_word(STOP_AT, stop_at)
    write_word(STOP_AT_SWITCH, stop_at_switch)
    gdb.execute("continue")


HELP = """\
tb where          the step that comes next, and whose it is
tb threads        the virtual threads, with what each does and its stack
tb thread N [CMD] the stack of one thread in full, or a command of gdb's there: tb thread 2 info locals
tb step [N]       to the next step, or the N-th from here
tb next-switch    to where another thread goes on
tb until STEP     to that step
tb end            to the end of the execution, where all stacks still stand
tb coroutines     the coroutines that have a frame, where each is suspended, and what it waits for
tb start          the execution from its beginning
Expressions are evaluated as ever: functions that they call pass no scheduling points, and locks that they take are the
system's, not those of the execution. `continue` goes to the end as well, and from there on has the execution judged."""


class Threadbare(gdb.Command):
    __doc__ = HELP

    def __init__(self):
        super().__init__("tb", gdb.COMMAND_RUNNING, gdb.COMPLETE_NONE)

    def complete(self, typed, _word):
        return [name for name in sorted(self.COMMANDS) if name.startswith(typed)]

    def invoke(self, argument, _from_tty):
        name, _, rest = argument.strip().partition(" ")
        command = self.COMMANDS.get(name or "help")
        if command is None:
            raise gdb.GdbError(f"tb {name}: there is no such command; `tb help` lists them")
        try:
            command(self, rest.strip())
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"tb {name}: {error}") from error

    def number(self, text, what):
        if not text.isdecimal():
            raise gdb.GdbError(f"{text or 'nothing'}: not {what}")
        return int(text)

    def help(self, _):
        print(HELP)

    def start(self, _):
        print(f"recorded: {CASE['recorded']}")
        gdb.execute("run")

    def where(self, _):
        where()

    def threads(self, _):
        state = State()
        for number in range(len(state.threads)):
            mark = "*" if number == state.thread else " "
            print(f"{mark} thread {number} {condition(state, number)}")
            stack = stack_of(state, number)
            for level, frame in enumerate(stack[:MOST_SHOWN]):
                print(f"    #{level} {frame}")
            if len(stack) > MOST_SHOWN:
                print(f"    {len(stack) - MOST_SHOWN} more: tb thread {number}")

    def thread(self, argument):
        state = State()
        number, _, command = argument.partition(" ")
        number = self.number(number, "the number of a thread")
        if number >= len(state.threads):
            raise gdb.GdbError(f"there is no thread {number}: {len(state.threads)} were begun, counted from 0")
        if not command:
            print(f"thread {number} {condition(state, number)}")
            for level, frame in enumerate(stack_of(state, number)):
                print(f"    #{level} {frame}")
            return
        seen = view(state, number)
        if seen is None or state.threads[number][STATE] in (ENDED, NOT_BEGUN):
            raise gdb.GdbError(f"thread {number} {condition(state, number)}")
        with seen:
            choose_own_frame()
            gdb.execute(command)

    def step(self, argument):
        go_on(State().step + (self.number(argument, "a number of steps") if argument else 1), 0)

    def next_switch(self, _):
        go_on(NEVER, 1)

    def until(self, argument):
        go_on(self.number(argument, "the number of a step"), 0)

    def end(self, _):
        go_on(NEVER, 0)

    def coroutines(self, _):
        show_coroutines()

    COMMANDS = {
        "help": help, "start": start, "where": where, "threads": threads, "thread": thread, "step": step,
        "next-switch": next_switch, "until": until, "end": end, "coroutines": coroutines,
    }


Threadbare()
gdb.events.stop.connect(on_stop)
gdb.events.inferior_call.connect(Evaluation.on_call)
begin()
