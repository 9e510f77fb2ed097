"""Go types as the compiler describes them, to build a program's type table of."""

from compiler.ir.types import (
    Basic,
    Chan,
    Duration,
    Field,
    Func,
    HashMap,
    Interface,
    Pointer,
    Slice,
    String,
    Struct,
    SwissMap,
    Time,
    TypeId,
)

BOOL = Basic("bool", 1, "bool")
INT = Basic("int", 8, "int")
INT8 = Basic("int8", 1, "int")
UINT8 = Basic("uint8", 1, "uint")
UINT64 = Basic("uint64", 8, "uint")
FLOAT64 = Basic("float64", 8, "float")
FLOAT32 = Basic("float32", 4, "float")
COMPLEX128 = Basic("complex128", 16, "complex")
STRING = String("string", 16)
DURATION = Duration("time.Duration", 8)
TIME = Time("time.Time", 24, 0, 8)
FUNC = Func("func()", 8)
ANY = Interface("any", 16, True, 8)
ERROR = Interface("error", 16, False, 8, free=True)


def pointer(elem: TypeId | None, name: str = "*T") -> Pointer:
    return Pointer(name, 8, elem)


def slice_of(elem: TypeId, size: int, name: str = "[]T") -> Slice:
    return Slice(name, 24, elem, size)


def struct_of(name: str, size: int, *fields: tuple[str, int, TypeId]) -> Struct:
    return Struct(name, size, tuple(Field(*each) for each in fields))


def chan_of(elem: TypeId, size: int, name: str = "chan int") -> Chan:
    return Chan(name, 8, elem, size, 96, 0, 8, 16, 28, 56)


def swiss_map(key: TypeId, key_size: int, value: TypeId, value_size: int) -> SwissMap:
    """Map {used, seed, dirPtr, dirLen, writing}, table {used, groups{data, mask}}, groups of 8 (key, value) after the controls."""
    stride = key_size + value_size
    return SwissMap(
        "map[K]V", 8, key, value, header_size=48, used=0, dir_ptr=16, dir_len=24, writing=34, table_size=32, groups_data=16,
        groups_mask=24, group_size=8 + 8 * stride, key_at=8, key_stride=stride, value_at=8 + key_size, value_stride=stride,
    )  # fmt: skip


def hash_map(key: TypeId, key_size: int, value: TypeId, value_size: int) -> HashMap:
    """hmap {count, flags, B, ..., buckets, oldbuckets, nevacuate}, bmap {tophash, keys, values, overflow}."""
    values_at = 8 + 8 * key_size
    overflow = values_at + 8 * value_size
    return HashMap(
        "map[K]V", 8, key, value, header_size=48, count=0, b=9, buckets=16, oldbuckets=24, nevacuate=32, flags=8,
        bucket_size=overflow + 8, keys_at=8, key_stride=key_size, values_at=values_at, value_stride=value_size,
        overflow=overflow,
    )  # fmt: skip
