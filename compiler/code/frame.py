"""How large a function's frame is, by PC."""

from bisect import bisect_right

from compiler.code.pclntab import Pclntab

RETURN_ADDRESS = 8


class Frame:
    """The frame of the function around one PC."""

    def __init__(self, pclntab: Pclntab, pc: int) -> None:
        index = pclntab.index_of(pc)
        sizes = [] if index is None else pclntab.values(index, "pcsp")
        self._ends, self._sizes = [end for _, end, _ in sizes], [max(size, 0) for _, _, size in sizes]

    def below_cfa(self, pc: int) -> int:
        """How far SP is below the CFA, on amd64."""
        place = bisect_right(self._ends, pc)
        return RETURN_ADDRESS + (self._sizes[place] if place < len(self._sizes) else 0)
