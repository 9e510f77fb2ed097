"""What a goroutine has besides its frames: the types by which its labels are copied, and what it waits for."""

from compiler.binary import Binary
from compiler.code.layouts import Layout
from compiler.dwarf.executable import BadBinary
from compiler.dwarf.functions import Instance
from compiler.dwarf.typetable import TypeTable
from compiler.ir.program import Details, Semaphore
from compiler.ir.types import WORD, Address, Field, Pointer, Struct, TypeId
from compiler.spec import Collect, FunctionSpec

LABELS = "runtime/pprof.labelMap"
"""What g.labels points to; a map up to Go 1.23, then a struct. See go/src/runtime/pprof/label.go."""
SELECT = "select"
"""How the wait reasons of goroutines in a select begin."""
SUDOG, HCHAN = "runtime.sudog", "runtime.hchan"
WAITING_IN = (("runtime.semacquire1", "addr"), ("sync.runtime_notifyListWait", "l"))
"""Functions of the runtime in which goroutines wait at a semaphore or a condition, and the variables that point to it."""
SEMAPHORES = {
    "sync.Mutex": (("mu", "sema"), ("sema",)),
    "sync.RWMutex.RLock": (("readerSem",),),
    "sync.RWMutex.Lock": (("writerSem",),),
    "sync.WaitGroup": (("sema",),),
    "sync.Cond": (("notify",),),
}
"""By type (and method): the ways to where its waiters wait, from the newest Go on."""


def read_details(binary: Binary, table: TypeTable, wait_reasons: tuple[str, ...]) -> Details | None:
    """None where the binary does not describe waiters."""
    try:
        sudog, hchan = Layout(binary, SUDOG), Layout(binary, HCHAN)
        address = table.made(Address("uintptr", WORD))
        channel = table.made(_channel(hchan, address))
        followed = table.made(Pointer(f"*{HCHAN}", WORD, channel))
        waiter = table.made(_waiter(sudog, address, address, address))
        selecting = table.linked(SUDOG, lambda link: _waiter(sudog, address, followed, link))
    except BadBinary:
        return None
    selects = tuple(number for number, reason in enumerate(wait_reasons) if reason.startswith(SELECT))
    return Details(waiter, selecting, selects, _labels(binary, table), _semaphores(binary))


def waiting_in(binary: Binary) -> list[tuple[FunctionSpec, list[Instance]]]:
    """What to collect, as if a spec had asked for it, where g.waiting does not name semaphores: up to Go 1.25."""
    if Layout(binary, SUDOG).optional("elem", "vu") is not None:
        return []
    found = []
    for function, variable in WAITING_IN:
        instances = [
            each for each in binary.functions.instances(function) if variable in (v.name for v in each.variables)
        ]
        collect = Collect(f"{variable}.__addr", "address", 0, "")
        found += [(FunctionSpec(function, "", (collect,), (), 0, ""), instances)] if instances else []
    return found


def _waiter(sudog: Layout, address: TypeId, channel: TypeId, link: TypeId) -> Struct:
    """From Go 1.26 on `elem` and `c` are a pointer that may be hidden from the garbage collector, beside its number."""
    places = {
        "prev": (sudog.at("prev"), address),
        "elem": (_either(sudog, ("elem", "vu"), ("elem",)), address),
        "c": (_either(sudog, ("c", "maybeTraceablePtr", "vu"), ("c",)), channel),
        "waitlink": (sudog.at("waitlink"), link),
    }
    fields = tuple(Field(name, at, type_id) for name, (at, type_id) in places.items())
    return Struct(SUDOG, max(field.offset for field in fields) + WORD, fields)


def _channel(hchan: Layout, address: TypeId) -> Struct:
    receivers, senders = hchan.at("recvq", "first"), hchan.at("sendq", "first")
    fields = (Field("recvq", receivers, address), Field("sendq", senders, address))
    return Struct(HCHAN, max(receivers, senders) + WORD, fields)


def _either(layout: Layout, *ways: tuple[str, ...]) -> int:
    found = next((at for way in ways[:-1] if (at := layout.optional(*way)) is not None), None)
    return layout.at(*ways[-1]) if found is None else found


def _labels(binary: Binary, table: TypeTable) -> TypeId | None:
    if not binary.no_debug_info:
        found = binary.index.types.get(LABELS)
        return table.want(found[0]) if found else None
    described = list(binary.module.types.structs("pprof.labelMap", exported=True))
    return table.want_held(described[0]) if len(described) == 1 else None


def _semaphores(binary: Binary) -> tuple[Semaphore, ...]:
    found = ((what, _offset(binary, what, ways)) for what, ways in SEMAPHORES.items())
    return tuple(Semaphore(what, at) for what, at in found if at is not None)


def _offset(binary: Binary, what: str, ways: tuple[tuple[str, ...], ...]) -> int | None:
    """None where the program has no such type."""
    try:
        layout = Layout(binary, ".".join(what.split(".")[:2]))
    except BadBinary:
        return None
    return next((at for way in ways if (at := layout.optional(*way)) is not None), None)
