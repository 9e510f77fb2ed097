"""uuid(), address() and ago(): what they make of values as the decoder shows them, and what they say of others."""

import base64
import json
import re
import uuid as uuids
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.sql.functions import ago
from compiler.sql.shown import SqlValue, address, ip, uuid
from tests.compiler.sql.snapshot import START

ID = "00112233-4455-6677-8899-aabbccddeeff"
BYTES = uuids.UUID(ID).bytes
BASE64 = base64.b64encode(BYTES).decode()
ARRAY = json.dumps(list(BYTES), separators=(",", ":"))
UUIDS: dict[str, SqlValue] = {
    "an array": ARRAY,
    "bytes that are no UTF-8": json.dumps({"$base64": BASE64}),
    "what an interface holds": json.dumps({"$type": "uuid.UUID", "$value": list(BYTES)}),
    "base64 in an interface": json.dumps({"$type": "[]uint8", "$value": {"$base64": BASE64}}),
    "a text of one": ID,
    "one in capitals": ID.upper(),
    "a text in an interface": json.dumps({"$type": "string", "$value": ID}),
    "a blob": BYTES,
}
WANTS = "uuid() takes 16 bytes or the 36 characters of a UUID, got "
CUT = (
    "uuid() got the beginning of 64 bytes, a limit cut the rest; "
    "raise limits.slice_items (of an array) or limits.string_bytes (of a []byte or string)"
)
NO_UUIDS: dict[SqlValue, str] = {
    "": WANTS + "0 bytes: ''",
    "abc": WANTS + "3 bytes: 'abc'",
    ID[:-1] + "g": WANTS + f"36 bytes: '{ID[:-1]}g'",
    ID.replace("-", ""): WANTS + f"32 bytes: '{ID.replace('-', '')}'",
    "{" + ID + "}": WANTS + f"38 bytes: '{{{ID}}}'",
    7: WANTS + "7",
    1.5: WANTS + "1.5",
    "[1,2,3]": WANTS + "3 bytes: '[1,2,3]'",
    "[1,2,3,4,5,6,78]": WANTS + "7 bytes: '[1,2,3,4,5,6,78]'",
    "[]": WANTS + "[]",
    json.dumps([256] * 16): WANTS + "[256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 2...",
    json.dumps([True] * 16): WANTS + "[True, True, True, True, True, True, True, True, True, Tr...",
    json.dumps({"a": 1}): WANTS + "{'a': 1}",
    json.dumps({"$value": list(BYTES), "$len": 64}): CUT,
    json.dumps({"$value": {"$base64": BASE64}, "$len": 64}): CUT,
    json.dumps({"$type": "T", "$value": {"$value": list(BYTES), "$len": 64}}): CUT,
    b"abc": WANTS + "3 bytes: b'abc'",
}


@pytest.mark.parametrize("value", UUIDS.values(), ids=UUIDS.keys())
def test_a_uuid_is_the_same_however_it_is_shown(value: SqlValue) -> None:
    assert uuid(value) == ID


@given(st.binary(min_size=16, max_size=16))
def test_sixteen_bytes_in_a_text_are_a_uuid(found: bytes) -> None:
    """A []byte is shown as text where it is UTF-8, and in base64 where it is not."""
    try:
        value = found.decode()
    except UnicodeDecodeError:
        value = json.dumps({"$base64": base64.b64encode(found).decode()})
    assert uuid(value) == str(uuids.UUID(bytes=found))


@pytest.mark.parametrize(("value", "message"), NO_UUIDS.items())
def test_uuid_says_what_is_none(value: SqlValue, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the text is compared below)
        uuid(value)
    assert str(caught.value) == message


def test_null_and_what_is_absent_stay_null() -> None:
    absent = '{"$absent":"nil"}'
    assert [uuid(None), uuid(absent), address(None), address(absent), ago(None, 1), ago(absent, 1)] == [None] * 6
    assert uuid('{"$type":"*uuid.UUID","$value":null}') is None


ADDRESSES: dict[str, str | None] = {
    '{"$addr":"0xc000010018","N":1}': "0xc000010018",
    '{"$type":"*main.T","$addr":"0xc000010018","N":1}': "0xc000010018",
    '{"$type":"*main.T[\\"x\\"]","$addr":"0x1"}': "0x1",
    '{"$ref":"0xc000010018"}': "0xc000010018",
    '{"$absent":"depth","$addr":"0xc000010018"}': "0xc000010018",
    '{ "N": 1, "$addr": "0x2" }': "0x2",
    '{"$absent":"unreadable"}': None,
    '{"$type":"main.T","N":{"$addr":"0x3"}}': None,
    '{"$type":"int","$value":3}': None,
}
NO_ADDRESS = " carries no address; only pointers to structs show their address in a row; "
COLLECT = "collect the expression with .__addr behind it"
NO_ADDRESSES: dict[SqlValue, str] = {
    3: "->__addr: 3" + NO_ADDRESS + COLLECT,
    "late": "->__addr: 'late'" + NO_ADDRESS + COLLECT,
    "[1,2]": "->__addr: '[1,2]'" + NO_ADDRESS + COLLECT,
    '{"N":{"$addr":"0x3"}}': '->__addr: \'{"N":{"$addr":"0x3"}}\'' + NO_ADDRESS + COLLECT,
    '{"$func":"main.f"}': '->__addr: \'{"$func":"main.f"}\'' + NO_ADDRESS + COLLECT,
}


@pytest.mark.parametrize(("value", "found"), ADDRESSES.items())
def test_the_address_of_what_a_pointer_points_to(value: str, found: str | None) -> None:
    assert address(value) == found


@pytest.mark.parametrize(("value", "message"), NO_ADDRESSES.items())
def test_address_says_what_has_none(value: SqlValue, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the text is compared below)
        address(value)
    assert str(caught.value) == message


AGO = {
    ("1970-01-01T00:00:01.000000000Z", 3_000_000_000): 2.0,
    ("1970-01-01T00:00:01.000000001Z", 1_000_000_002): 1e-9,
    ("1970-01-01T00:00:05+00:00", 3_500_000_000): -1.5,
    (START, 1767323045123456789): 0.0,
    (START, 1767323045123456789 + 10**9 * 86_400 * 365): 31_536_000.0,
    ("0001-01-01T00:00:00.000000000Z", 1): None,
    (START, None): None,
    ("0001-01-01T00:00:00.000000001Z", 0): 62_135_596_799.999999999,
    ("9999-12-31T23:59:59Z", 0): -253_402_300_799.0,
}


@pytest.mark.parametrize(("arguments", "seconds"), AGO.items())
def test_how_long_ago(arguments: tuple[SqlValue, SqlValue], seconds: float | None) -> None:
    assert ago(*arguments) == seconds


@given(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62))
def test_ago_rounds_once(nanoseconds: int, captured: int) -> None:
    seconds, rest = divmod(nanoseconds, 10**9)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert ago(f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z", captured) == (captured - nanoseconds) / 10**9


BAD_AGO = {
    ("yesterday", 1): "ago() takes the text of a time such as 2026-01-02T03:04:05.000000000Z, got 'yesterday'",
    (5, 1): "ago() takes the text of a time such as 2026-01-02T03:04:05.000000000Z, got 5",
    ("2026-13-02T03:04:05Z", 1): "ago() got '2026-13-02T03:04:05Z', which is no time: month must be in 1..12",
    (START, START): f"ago() takes captured_at_ns, Unix time in nanoseconds, as its second argument, got '{START}'",
}


@pytest.mark.parametrize(("arguments", "message"), BAD_AGO.items())
def test_ago_says_what_is_no_time(arguments: tuple[SqlValue, SqlValue], message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the text is compared below)
        ago(*arguments)
    assert str(caught.value) == message


IPS: dict[SqlValue, str | None] = {
    "\x7f\x00\x00\x01": "127.0.0.1",
    b"\n\x01\x02\x03": "10.1.2.3",
    '{"$base64":"wKgBAg=="}': "192.168.1.2",
    json.dumps([0] * 10 + [255, 255, 8, 8, 4, 4]): "8.8.4.4",
    json.dumps({"$type": "net.IP", "$value": {"$base64": "IAENuAAAAAAAAAAAAAAAAQ=="}}): "2001:db8::1",
    "": None,
    '{"$absent":"unreadable"}': None,
}


@pytest.mark.parametrize("value", IPS)
def test_an_ip_is_printed_as_go_does(value: SqlValue) -> None:
    assert ip(value) == IPS[value]
    assert ip(None) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("10.1.2.3", "ip() takes the 4 or 16 bytes of an IP address, got 8 bytes: '10.1.2.3'"),
        ('{"a":1}', "ip() takes the 4 or 16 bytes of an IP address, got {'a': 1}"),
        (
            '{"$value":"ab","$len":16}',
            "ip() got the beginning of 16 bytes, a limit cut the rest; raise limits.slice_items",
        ),
        (7, "ip() takes the 4 or 16 bytes of an IP address, got 7"),
    ],
)
def test_ip_says_what_is_none(value: SqlValue, message: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        ip(value)
