"""Functions of the target that gdb calls pass no scheduling points, and are not under control: for that time, hooks see no
execution, and nothing is counted."""

import gdb

from execution import NEVER, PLACE, THREADS, address_of, read, words


class Evaluation:
    """What a call finds changed, and what is put back after it."""

    # Where an OS thread keeps the execution that it is part of, counted from where its variables lie. Known at the first stop.
    offset = None
    saved = []

    @classmethod
    def stopped(cls):
        place = words(address_of("THREADBARE_DEBUGGER"), THREADS)[PLACE]
        cls.offset = place - variables_of_thread()

    @classmethod
    def on_call(cls, event):
        if isinstance(event, gdb.InferiorCallPreEvent):
            cls.before()
        else:
            cls.after()

    @classmethod
    def before(cls):
        if cls.offset is None:
            cls.saved.append([])
            return
        place = variables_of_thread() + cls.offset
        # What is left of a phase with one thread alone: accesses count it down.
        alone = address_of("threadbare_alone")
        cls.saved.append([(address, read(address, 8)) for address in (place, alone)])
        gdb.selected_inferior().write_memory(place, bytes(8))

    @classmethod
    def after(cls):
        for address, value in cls.saved.pop() if cls.saved else []:
            gdb.selected_inferior().write_memory(address, value)


def variables_of_thread():
    return int(gdb.newest_frame().read_register("fs_base")) & NEVER
