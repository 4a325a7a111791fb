"""The stacks of virtual threads: of the one that runs, of fibers that stand still, and of those on OS threads of their own."""

import os

import gdb

from execution import CASE, ENDED, NEVER, NOT_BEGUN, OS_THREAD, STACK_POINTER, STATE, WAITS
from execution import WAITS_IN, WAITS_IN_LENGTH, text, words

# Frames of one stack that are looked at.
MOST_FRAMES = 256


def is_own(frame):
    """Whether a frame is of the target's, and not of the hooks below it or what carries it."""
    # By way of gdbserver, `target:` stands before the name.
    return (gdb.solib_name(frame.pc()) or "").removeprefix("target:") == CASE["object"]


def frames_of(frame):
    """Those of the target on the stack that `frame` is the innermost of, with what it calls left out."""
    own = []
    for _ in range(MOST_FRAMES):
        if frame is None or not frame.is_valid():
            break
        if is_own(frame):
            own.append(frame)
        elif own and frame.name() == "threadbare_run_thread":
            break
        try:
            frame = frame.older()
        except gdb.error:
            break
    return own


def place_of(frame):
    line = frame.find_sal()
    if line.symtab is None:
        return ""
    return f"{os.path.basename(line.symtab.filename)}:{line.line}"


def named(frame):
    place = place_of(frame)
    return f"{frame.name() or '??'}{' at ' + place if place else ''}"


class Registers:
    """The registers of a fiber that stands still, in place of those of the OS thread, for as long as it is looked at."""

    NAMES = ("rsp", "rbp", "rbx", "rip")

    def __init__(self, stack_pointer):
        goes_on, rbx, rbp = words(stack_pointer, 3)
        # What the switch pushed lies there; it is popped first.
        self.wanted = {"rsp": stack_pointer + 24, "rbp": rbp, "rbx": rbx, "rip": goes_on}
        self.saved = None

    def __enter__(self):
        frame = gdb.newest_frame()
        self.chosen = gdb.selected_frame().level()
        frame.select()
        self.saved = {name: int(frame.read_register(name)) & NEVER for name in self.NAMES}
        self.put(self.wanted)
        return self

    def __exit__(self, *_):
        self.put(self.saved)
        frame = gdb.newest_frame()
        for _ in range(self.chosen):
            frame = frame.older() or frame
        frame.select()

    def put(self, values):
        for name, value in values.items():
            gdb.newest_frame().select()
            gdb.execute(f"set var ${name} = {value}", to_string=True)
        gdb.newest_frame().select()


class Carried:
    """The OS thread of a virtual thread, chosen for as long as it is looked at."""

    def __init__(self, os_thread):
        self.os_thread = os_thread

    def __enter__(self):
        self.before = gdb.selected_thread()
        self.chosen = gdb.selected_frame().level()
        for thread in gdb.selected_inferior().threads():
            if int.from_bytes(thread.handle(), "little") == self.os_thread:
                thread.switch()
                return self
        raise gdb.GdbError("gdb does not see the OS thread of this virtual thread")

    def __exit__(self, *_):
        self.before.switch()
        frame = gdb.newest_frame()
        for _ in range(self.chosen):
            frame = frame.older() or frame
        frame.select()


class Here:
    """The thread that runs, which the process stopped in."""

    def __enter__(self):
        self.chosen = gdb.selected_frame()
        return self

    def __exit__(self, *_):
        if self.chosen.is_valid():
            self.chosen.select()


def view(state, number):
    """What makes the stack of a virtual thread gdb's; None if it has none."""
    thread = state.threads[number]
    if thread[OS_THREAD] and number != state.thread:
        return Carried(thread[OS_THREAD])
    if number == state.thread:
        return Here()
    return Registers(words(thread[STACK_POINTER], 1)[0]) if thread[STACK_POINTER] else None


def condition(state, number):
    thread = state.threads[number]
    if thread[STATE] == ENDED:
        return "has ended"
    if thread[STATE] == NOT_BEGUN:
        return "has not begun"
    if thread[STATE] == WAITS and (number != state.thread or state.is_over()):
        return f"waits in {text(thread[WAITS_IN], thread[WAITS_IN_LENGTH])}"
    if number == state.thread:
        return f"{state.doing()} next" if state.is_at_step() and not state.is_over() else "is stopped here"
    return "can go on"


def stack_of(state, number):
    """The frames of the target, in words, as the thread stands."""
    if state.threads[number][STATE] in (ENDED, NOT_BEGUN):
        return []
    seen = view(state, number)
    if seen is None:
        return ["(its stack is not known on this architecture)"]
    with seen:
        return [named(frame) for frame in frames_of(gdb.newest_frame())]


def choose_own_frame():
    """Selects the innermost frame of the target, of those in a library's header only if there is no other. Gives it."""
    own = frames_of(gdb.newest_frame())
    chosen = next((frame for frame in own if not is_of_library(frame)), own[0] if own else None)
    if chosen is not None:
        chosen.select()
    return chosen


def is_of_library(frame):
    line = frame.find_sal()
    return line.symtab is None or line.symtab.fullname().startswith("/usr/")
