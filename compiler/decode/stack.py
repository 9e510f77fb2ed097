"""From a chain of frame pointers to physical frames.

A frame pointer chain misses a caller where a function had not set up its frame yet: at the innermost frame, and below
one that a signal interrupted. There the stack pointer is known, and the size of the frame at that PC (from the pclntab)
says whether the frame pointer is already the function's own. See sigpanic in go/src/runtime/traceback.go. Assembly may have
anything in the register: then the caller's frame size says where the chain goes on.

And it leads nowhere below a function that faulted, once the stack has grown since: Go moves a stack without adjusting the frame
pointer that such a function had saved, for it will never return (adjustframe in go/src/runtime/stack.go).

All of it is amd64's: a frame pointer is saved 16 bytes below its frame's CFA. On arm64 it is saved at the bottom of the
frame, so that the CFA lies 8 bytes above the *caller's* frame pointer; `decode` refuses such a capture.
"""

from bisect import bisect_right

from compiler.decode.image import Image
from compiler.decode.records import MASK, Chain
from compiler.ir.frozen import frozen
from compiler.ir.program import GoRuntime, PcRange
from compiler.ir.raw import FLAG_NO_STACK, SOURCE_THREAD, RawGoroutine
from compiler.ir.symbols import Symbols


@frozen
class PhysicalFrame:
    """One frame on the stack. `pc` is link-time and names the instruction to look up (a call's own, not its return
    address); `exact`: it is the next instruction itself. `cfa` is relative to the goroutine's sp."""

    pc: int
    exact: bool
    cfa: int
    faulted: bool = False
    """It lies directly below runtime.sigpanic: it will never go on, and what it still needed at that PC nobody recorded."""


FAULT = "runtime.sigpanic"
MAX_FRAMES = 1 << 16


class Stacks:
    """Mends chains. Frames of equal chains are shared, for what they are follows from the chain alone."""

    def __init__(self, runtime: GoRuntime, bias: int, symbols: Symbols, image: Image) -> None:
        self._bias, self._symbols, self._image = bias, symbols, image
        self._interrupts, self._outermost = _Ranges(runtime.interrupts), _Ranges(runtime.outermost)
        self._shared: dict[tuple[int, bool], tuple[PhysicalFrame, ...]] = {}

    def frames(self, goroutine: RawGoroutine, stacks: dict[int, Chain]) -> tuple[PhysicalFrame, ...]:
        """The physical frames of a goroutine, innermost first."""
        if goroutine.flags & FLAG_NO_STACK:
            return ()
        exact = goroutine.source == SOURCE_THREAD
        key = (goroutine.stack_id, exact)
        found = self._shared.get(key)
        if found is None:
            found, own = self._mended(stacks[goroutine.stack_id], goroutine.sp, exact=exact)
            if not own:
                self._shared[key] = found
        return found

    def _mended(self, chain: Chain, sp: int, *, exact: bool) -> tuple[tuple[PhysicalFrame, ...], bool]:
        """The frames, and whether they hold something of this goroutine's own stack (so cannot be shared)."""
        frames: list[PhysicalFrame] = []
        own, following, faulted, called = False, 1, False, False
        stack_pointer: int | None = 0
        current = chain[0] if chain else None
        while current is not None:
            pc, bp = current
            cfa, ghost = _signed(bp + 16), None
            if called and stack_pointer is not None:
                ends = following >= len(chain)
                moved = self._moved(pc, bp, sp, stack_pointer) if ends else None
                if moved is not None:
                    cfa, rest = moved
                    own, chain, following = True, rest, 0
            elif stack_pointer is not None:
                size = self._symbols.frame_size(pc - self._bias)
                if size is not None and cfa != stack_pointer + size + 8:
                    own, ghost = True, self._caller(sp + stack_pointer + size)
                    if ghost is not None:
                        cfa = stack_pointer + size + 8
            # A goroutine that never ran stands at its function's entry: that is no return address either.
            exact = exact or (not frames and self._symbols.entry(pc - self._bias) == pc - self._bias)
            frames.append(PhysicalFrame(pc - self._bias - (not exact), exact, cfa, faulted))
            interrupted = self._interrupts.contains(pc - self._bias)
            faulted = interrupted and self._is_fault(pc - self._bias)
            # what an interrupted function had saved is looked at once more, when its caller's turn comes
            after = interrupted or (stack_pointer is not None and not called and len(frames) > 1)
            called = after and not interrupted
            stack_pointer, exact = cfa if after else None, interrupted
            if self._outermost.contains(pc - self._bias):
                break
            if ghost is not None:
                astray = self._astray(ghost, bp, sp, cfa)
                if astray is not None:
                    bp, chain = astray
                    following = 0
                current = (ghost, bp)
            else:
                current = chain[following] if following < len(chain) else None
                following += 1
        return tuple(frames), own

    def _astray(self, pc: int, bp: int, sp: int, stack_pointer: int) -> tuple[int, Chain] | None:
        """The frame pointer of a function at a call, and the chain above it, where the register that should have it leads to
        no frame: assembly has it for its own ends."""
        size = self._symbols.frame_size(pc - 1 - self._bias)
        if not size or self._outermost.contains(pc - self._bias) or self._caller(sp + bp + 8) is not None:
            return None
        rest = self._walked(sp, stack_pointer + size + 8)
        return (stack_pointer + size - 8 & MASK, rest) if rest else None

    def _moved(self, pc: int, bp: int, sp: int, stack_pointer: int) -> tuple[int, Chain] | None:
        """The CFA of a function at a call, and the chain above it, where its frame pointer is not what the stack pointer says."""
        size = self._symbols.frame_size(pc - self._bias)
        if size is None or self._outermost.contains(pc - self._bias) or _signed(bp + 16) == stack_pointer + size + 8:
            return None
        cfa = stack_pointer + size + 8
        return cfa, self._walked(sp, cfa)

    def _walked(self, sp: int, cfa: int) -> Chain:
        """The frames above one that ends at `cfa`, by the frame pointers on the stack."""
        found: list[tuple[int, int]] = []
        while len(found) < MAX_FRAMES:
            saved, back = self._image.word(sp + cfa - 16 & MASK), self._caller(sp + cfa - 8)
            if saved is None or back is None:
                break
            found.append((back, saved - sp & MASK))
            following = _signed(saved - sp + 16)
            if following <= cfa or self._outermost.contains(back - self._bias):
                break
            cfa = following
        return tuple(found)

    def _is_fault(self, pc: int) -> bool:
        function = self._symbols.function(pc)
        return function is not None and function.name == FAULT

    def _caller(self, address: int) -> int | None:
        """The return address at an address of the stack, if it is one of Go's."""
        found = self._image.word(address & MASK)
        return found if found and self._symbols.entry(found - 1 - self._bias) is not None else None


class _Ranges:
    """Disjoint link-time PC ranges."""

    def __init__(self, ranges: tuple[PcRange, ...]) -> None:
        self._ranges = sorted((each.lo, each.hi) for each in ranges)
        self._los = [lo for lo, _ in self._ranges]

    def contains(self, pc: int) -> bool:
        index = bisect_right(self._los, pc) - 1
        return index >= 0 and pc < self._ranges[index][1]


def _signed(value: int) -> int:
    """A difference mod 2**64 as the difference."""
    value &= MASK
    return value - (1 << 64) if value >> 63 else value
