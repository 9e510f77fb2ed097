"""Go types as the probe and the decoder see them: sizes, offsets and how to go on from a value. Data only.

A type table is a tuple of these; a type id is an index into it. Layouts come from the binary's own DWARF.
"""

from typing import Final, Literal

from compiler.ir.frozen import frozen

TypeId = int
BasicKind = Literal["bool", "int", "uint", "float", "complex"]
WORD: Final = 8
"""Bytes of a pointer, an int or a uintptr: on every machine that is supported."""
INDIRECT = ""
"""The name of a Pointer that is looked through."""


@frozen
class Basic:
    """A number or a bool of `size` bytes, little endian; unsafe.Pointer and uintptr are uint."""

    name: str
    size: int
    kind: BasicKind


@frozen
class Duration:
    """time.Duration: nanoseconds in an int64."""

    name: str
    size: int


@frozen
class Time:
    """time.Time {wall uint64; ext int64; loc *Location}, offsets in bytes."""

    name: str
    size: int
    wall: int
    ext: int


@frozen
class String:
    """{ptr, len}, 16 bytes."""

    name: str
    size: int


@frozen
class Pointer:
    """*elem; `elem` is None for a pointee that is not described (unsafe.Pointer).

    One that is named INDIRECT is none of the program's: a map keeps a key or value over 128 bytes behind it.
    """

    name: str
    size: int
    elem: TypeId | None


@frozen
class Field:
    """One struct field; `embedded` as Go's own embedded fields."""

    name: str
    offset: int
    type: TypeId
    embedded: bool = False


@frozen
class Struct:
    """A struct with its fields in order."""

    name: str
    size: int
    fields: tuple[Field, ...]


@frozen
class PickedMember:
    """One of what is collected of a Picked type: the Access that leads to it, None where the binary has nothing of it."""

    name: str
    access: int | None


@frozen
class Picked:
    """A struct of which only `members` are collected; `inner` has as much of it as engines must follow for that."""

    name: str
    size: int
    inner: TypeId
    members: tuple[PickedMember, ...]


@frozen
class Wrapper:
    """A struct shown as the one field in it that matters: atomic.Int64 is its number, atomic.Pointer its pointee."""

    name: str
    size: int
    offset: int
    type: TypeId


@frozen
class Word:
    """An integer within a struct."""

    offset: int
    size: int


SyncForm = Literal["Mutex", "RWMutex", "WaitGroup", "Once", "Cond"]
SYNC_WORDS: dict[SyncForm, tuple[str, ...]] = {
    "Mutex": ("state",),
    "RWMutex": ("w.state", "readerCount", "readerWait"),
    "WaitGroup": ("state",),
    "Once": ("done", "m.state"),
    "Cond": ("notify.wait", "notify.notify"),
}
"""What is read of each, by the field names of go/src/sync."""


@frozen
class Sync:
    """A type of package sync, shown as what its words mean. `words` in the order of SYNC_WORDS; `fields` are shown too."""

    name: str
    size: int
    form: SyncForm
    words: tuple[Word, ...]
    fields: tuple[Field, ...] = ()


@frozen
class Big:
    """math/big's Int, Rat or Float, shown as decimal text. `neg` is the offset of a bool, `nats` those of slices of `word`
    (a Rat's: numerator, denominator), least significant first; `float` is a Float's (exponent, precision, form)."""

    name: str
    size: int
    word: TypeId
    neg: int
    nats: tuple[int, ...]
    float: tuple[Word, ...] = ()


NetForm = Literal["Addr", "AddrPort", "Prefix"]


@frozen
class NetAddr:
    """A type of net/netip, shown as its text. The address is two words; at `z` is a Box to `detail`, which says which family it
    is of (a bool at `is_v6`, a string at `zone`). `number` is a port, or a prefix's bits and one; of 0 bytes in an Addr.

    Up to Go 1.22 those of IPv4 all have the one pointer at `z` that is in the variable at the link-time address `ipv4`, and
    `detail` has nothing but a Box to a string at `zone`."""

    name: str
    size: int
    form: NetForm
    hi: int
    lo: int
    z: int
    detail: TypeId
    is_v6: int
    zone: int
    number: Word
    ipv4: int | None = None


@frozen
class Array:
    """[count]elem."""

    name: str
    size: int
    elem: TypeId
    elem_size: int
    count: int


@frozen
class Slice:
    """{ptr, len, cap}, 24 bytes."""

    name: str
    size: int
    elem: TypeId
    elem_size: int


@frozen
class SwissMap:
    """Map of Go 1.24 and later: a pointer to maps.Map; see go/src/internal/runtime/maps.

    Offsets: in Map `used`, `dir_ptr`, `dir_len`, and `writing`, a byte that is not 0 while somebody writes; in table `groups` (a
    groupReference {data, lengthMask}); in a group
    `slots` after the 8 control bytes, `slot_size` each, with `key` and `value` inside. `split` layouts (keys, then
    values) have `slot_size` as the key's stride and `value_stride` as the value's.
    """

    name: str
    size: int
    key: TypeId
    value: TypeId
    header_size: int
    used: int
    dir_ptr: int
    dir_len: int
    writing: int
    table_size: int
    groups_data: int
    groups_mask: int
    group_size: int
    key_at: int
    key_stride: int
    value_at: int
    value_stride: int


@frozen
class HashMap:
    """Map up to Go 1.23: a pointer to runtime.hmap with buckets of 8. Offsets in hmap, then in bmap."""

    name: str
    size: int
    key: TypeId
    value: TypeId
    header_size: int
    count: int
    b: int
    buckets: int
    oldbuckets: int
    nevacuate: int
    flags: int
    bucket_size: int
    keys_at: int
    key_stride: int
    values_at: int
    value_stride: int
    overflow: int


@frozen
class Trie:
    """A struct of internal/sync.HashTrieMap, which is all of a sync.Map since Go 1.24; see go/src/internal/sync/hashtriemap.go.

    At `root` is a pointer to a node. In a node, the byte at `is_entry` says which kind it is: `node_size` bytes with `fanout`
    pointers to nodes from `children` on, or `entry_size` bytes with a `key`, a `value` and a pointer at `overflow` to one more
    entry of the same hash.
    """

    name: str
    size: int
    key: TypeId
    value: TypeId
    root: int
    is_entry: int
    node_size: int
    children: int
    fanout: int
    entry_size: int
    overflow: int
    key_at: int
    value_at: int


@frozen
class Box:
    """A pointer behind which a type of the standard library keeps a part of itself: looked through, at no cost in depth."""

    name: str
    size: int
    elem: TypeId


@frozen
class TwoMaps:
    """A sync.Map up to Go 1.23: a Box at `read` leads to {m, amended}, a map and whether `dirty`, another one, has more. Both are
    of type `map`, which is a Sought where a key, or their number, is wanted."""

    name: str
    size: int
    map: TypeId
    read: int
    read_only: TypeId
    m: int
    amended: int
    dirty: int


@frozen
class Sought:
    """A pointer to the map `map`, or to the root node of the Trie `map`, of which one key is wanted, or how many there are: up to
    `scan` of its entries are looked through. An engine need not go on from entries whose key does not have `filter_value` in its
    `filter_size` bytes (0: all may be the one) from `filter_at` on."""

    name: str
    size: int
    map: TypeId
    scan: int
    filter_at: int
    filter_size: int
    filter_value: int


@frozen
class Address:
    """A pointer shown as the address that it is: "0xc000012340", to join on."""

    name: str
    size: int


@frozen
class Chan:
    """A pointer to runtime.hchan; offsets in it. `receivers` and `senders` are pointers to chains of runtime.sudog, of which
    the first `waiter_size` bytes are of interest: the goroutine at `waiter_g`, the next at `waiter_next`. `waiter_size` is 0
    where the debug info does not tell. In generic code, where `name` says only what the elements' type is
    declared as, `elem_type` is where hchan has their runtime type; else 0."""

    name: str
    size: int
    elem: TypeId
    elem_size: int
    header_size: int
    qcount: int
    dataqsiz: int
    buf: int
    closed: int
    recvx: int
    receivers: int = 0
    senders: int = 0
    waiter_size: int = 0
    waiter_g: int = 0
    waiter_next: int = 0
    elem_type: int = 0


@frozen
class Interface:
    """{tab or type, data}, 16 bytes; `empty` has the type word itself, else an itab with the type at `itab_type`.

    A `free` one (error, context.Context) is a link of a chain: following it, and the pointer that it holds, costs no depth.
    """

    name: str
    size: int
    empty: bool
    itab_type: int
    free: bool = False


@frozen
class Func:
    """A func value: pointer to a closure object whose first word is the code's address."""

    name: str
    size: int


TOO_LARGE: Final = "a value of it is larger than any that can be read"


@frozen
class Opaque:
    """A type whose inside is not described; `reason` says why: TOO_LARGE, or another."""

    name: str
    size: int
    reason: str


Type = (
    Basic
    | Duration
    | Time
    | String
    | Pointer
    | Struct
    | Picked
    | Wrapper
    | Sync
    | Big
    | NetAddr
    | Array
    | Slice
    | SwissMap
    | HashMap
    | Trie
    | Box
    | TwoMaps
    | Sought
    | Address
    | Chan
    | Interface
    | Func
    | Opaque
)
