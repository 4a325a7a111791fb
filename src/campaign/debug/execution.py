"""What the process of an execution tells gdb, and what is told of its case.

It stands in THREADBARE_DEBUGGER (src/control/debugger.rs), words of 8 bytes, and in debug.json beside this file.
"""

import json
import os
import struct

import gdb

VERSION = 1
NEVER = (1 << 64) - 1
# The words of THREADBARE_DEBUGGER after the version, and of each thread after them.
IS_ON, STOP_AT, STOP_AT_SWITCH, STEP, WHY, LAST, CURRENT, OPERATION, ENDING, ENDING_LENGTH, PLACE, COUNT, THREADS = range(
    1, 14
)
STATE, WAITS_IN, WAITS_IN_LENGTH, STACK_POINTER, OS_THREAD, THREAD_WORDS = range(6)
RUNS, CAN_RUN, WAITS, ENDED, NOT_BEGUN = range(5)
AT_STEP, AT_END = 1, 2
# The function in which the process stops.
STOP = "threadbare_debugger_stop"

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "debug.json"), encoding="utf-8") as told:
    CASE = json.load(told)


def read(address, size):
    return gdb.selected_inferior().read_memory(address, size).tobytes()


def words(address, count):
    return struct.unpack(f"<{count}Q", read(address, 8 * count))


def address_of(symbol):
    # The stop may be in Rust that has debug information, which gdb would read the expression as.
    language = gdb.parameter("language")
    gdb.execute("set language c", to_string=True)
    try:
        return int(gdb.parse_and_eval(f"(unsigned long)&{symbol}"))
    finally:
        gdb.execute(f"set language {language}", to_string=True)


class State:
    """What the process tells at a stop."""

    def __init__(self):
        if not is_alive():
            raise gdb.GdbError("nothing is executed; `tb start` begins anew")
        self.address = address_of("THREADBARE_DEBUGGER")
        self.words = words(self.address, THREADS)
        if self.words[0] != VERSION:
            raise gdb.GdbError("this extension belongs to another version of threadbare")
        self.step, self.why = self.words[STEP], self.words[WHY]
        if not self.words[CURRENT]:
            raise gdb.GdbError("the execution has not begun; `continue`")
        (self.thread,) = struct.unpack("<H", read(self.words[CURRENT], 2))
        every = words(self.address + 8 * THREADS, self.words[COUNT] * THREAD_WORDS)
        self.threads = [every[at : at + THREAD_WORDS] for at in range(0, len(every), THREAD_WORDS)]

    def ending(self):
        return text(self.words[ENDING], self.words[ENDING_LENGTH])

    def is_over(self):
        return self.why == AT_END

    def is_at_step(self):
        return gdb.selected_thread() and gdb.newest_frame().name() == STOP

    def doing(self):
        return CASE["words"][self.words[OPERATION]] or "goes on"


def text(address, length):
    return read(address, length).decode("utf-8", "replace") if length else ""


def is_alive():
    inferior = gdb.selected_inferior()
    return inferior.is_valid() and inferior.pid != 0


def write_word(word, value):
    address = address_of("THREADBARE_DEBUGGER") + 8 * word
    gdb.selected_inferior().write_memory(address, struct.pack("<Q", value))
