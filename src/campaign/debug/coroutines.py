"""The coroutines that have a frame: which they are, where they are suspended, and what they wait for."""

import os
import re
import struct

import gdb

from execution import CASE, ENDED, NEVER, NOT_BEGUN, STATE, State, words
from stacks import frames_of, view

# Memory that is searched for coroutines: at most, in one piece and in all.
LARGEST_PIECE = 256 << 20
MOST_MEMORY = 4 << 30
# Words of a frame in which the handle of another one is looked for where its type is not known.
FRAME_WORDS = 32
# Members within members of a promise, at most.
DEEPEST = 4
# Bytes of a call's own part of the stack that are looked at.
MOST_STACK = 1 << 16
KEPT_REGISTERS = ("rbx", "rbp", "r12", "r13", "r14", "r15")


class Coroutine:
    """A frame that lies in memory, suspended or running."""

    def __init__(self, address, kind, resume):
        self.address, self.name = address, kind["name"]
        self.resume = resume
        # What the compiler tells of the frame in the function that goes on with it.
        self.symbols = {symbol.name: symbol for symbol in outermost_block(resume) or ()}

    def told(self):
        return f"{self.name} (frame {self.address:#x})"

    def line(self):
        """Where it is suspended, if its compiler left a label there."""
        try:
            frame = self.symbols["__coro_frame"].type.pointer()
            index = int(gdb.Value(self.address).cast(frame).dereference()["__coro_index"])
            label = self.symbols[f"__coro_resume_{index}"]
        except (KeyError, gdb.error):
            return ""
        return f" at {os.path.basename(label.symtab.filename)}:{label.line}"

    def promise(self):
        """The promise, which lies behind the two addresses that every frame begins with."""
        symbol = self.symbols.get("__promise") or self.symbols.get("_Coro_promise")
        if symbol is None:
            return None
        kind = symbol.type.strip_typedefs()
        alignment = kind.alignof or 1
        at = self.address + (16 + alignment - 1) // alignment * alignment
        return gdb.Value(at).cast(kind.pointer()).dereference()

    def handles(self):
        """The frames whose handles it holds: in its promise where the type is known, else in its first words."""
        promise = self.promise()
        if promise is not None:
            return set(handles_in(promise, DEEPEST))
        try:
            return set(words(self.address + 16, FRAME_WORDS))
        except gdb.MemoryError:
            return set()


def outermost_block(address):
    """The block of the whole function there, out of what was inlined."""
    block = gdb.block_for_pc(address)
    while block is not None and block.superblock is not None and not block.superblock.is_static:
        block = block.superblock
    return block


def handles_in(value, depth):
    """The addresses that coroutine handles in a value hold, with its bases and members."""
    kind = value.type.strip_typedefs()
    if depth == 0 or kind.code != gdb.TYPE_CODE_STRUCT:
        return
    if "coroutine_handle" in str(kind):
        yield from (int(value[field]) for field in kind.fields()
                    if field.type.strip_typedefs().code == gdb.TYPE_CODE_PTR and not hasattr(field, "enumval"))
        return
    for field in kind.fields():
        if hasattr(field, "bitpos"):
            yield from handles_in(value[field], depth - 1)


def base_of_target():
    with open(f"/proc/{gdb.selected_inferior().pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            if line.rstrip("\n").endswith(CASE["object"]):
                return int(line.split("-")[0], 16)
    raise gdb.GdbError("the target is not loaded yet; `continue`")


def written_memory():
    """The pieces of memory in which frames can lie."""
    pid = gdb.selected_inferior().pid
    left = MOST_MEMORY
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            addresses, rights, *_ = line.split()
            begin, end = (int(address, 16) for address in addresses.split("-"))
            if rights != "rw-p" or "[v" in line or end - begin > min(LARGEST_PIECE, left):
                continue
            left -= end - begin
            try:
                memory.seek(begin)
                yield begin, memory.read(end - begin)
            except (OSError, ValueError, OverflowError):
                continue


def coroutines():
    base = base_of_target()
    kinds = {base + kind["resume"]: kind for kind in CASE["coroutines"]}
    if not kinds:
        return []
    pattern = re.compile(b"|".join(re.escape(struct.pack("<Q", address)) for address in kinds), re.DOTALL)
    found = []
    for begin, content in written_memory():
        for match in pattern.finditer(content):
            at = match.start()
            if at % 8 or at + 16 > len(content):
                continue
            resume, destroy = struct.unpack_from("<QQ", content, at)
            if destroy - base in kinds[resume]["destroy"]:
                found.append(Coroutine(begin + at, kinds[resume], resume))
    return found


def running(state, found):
    """The thread that each coroutine runs on, if it does: a call of its function there has its frame's address at hand."""
    threads = {}
    for number, thread in enumerate(state.threads):
        seen = view(state, number) if thread[STATE] not in (ENDED, NOT_BEGUN) else None
        if seen is None:
            continue
        with seen:
            for frame in frames_of(gdb.newest_frame()):
                function, held = outermost_block(frame.pc()), None
                for coroutine in found:
                    if function is not None and coroutine.resume == function.start:
                        held = addresses_at_hand(frame) if held is None else held
                        if coroutine.address in held:
                            threads.setdefault(coroutine.address, number)
    return threads


def addresses_at_hand(frame):
    """The words in a call's part of the stack, and in the registers that calls keep."""
    begin, older = stack_pointer(frame), frame.older()
    end = stack_pointer(older) if older else begin
    held = set(words(begin, max(0, min(end - begin, MOST_STACK)) // 8))
    return held | {int(frame.read_register(name)) & NEVER for name in KEPT_REGISTERS}


def stack_pointer(frame):
    return int(frame.read_register("rsp")) & NEVER


def show_coroutines():
    state = State()
    found = coroutines()
    if not found:
        print("no coroutine has a frame" if CASE["coroutines"] else "the target has no coroutines")
        return
    on_threads = running(state, found)
    known = {coroutine.address: coroutine for coroutine in found}
    waits_for = {}
    for coroutine in found:
        for handle in coroutine.handles() & known.keys() - {coroutine.address}:
            waits_for.setdefault(handle, []).append(coroutine)
    for coroutine in found:
        if coroutine.address in on_threads:
            how = f", runs on thread {on_threads[coroutine.address]}"
        else:
            how = f", suspended{coroutine.line()}"
        print(f"{coroutine.told()}{how}")
        for other in waits_for.get(coroutine.address, []):
            certainly = "waits for" if other.promise() is not None else "its handle is held by"
            print(f"    {certainly} {other.told()}")
