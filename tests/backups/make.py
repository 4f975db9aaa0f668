#!/usr/bin/env python3
"""Writes example.cbor, a backup before it is encrypted, from docs/formats.md alone; or reads one: make.py FILE.

Needs the standard library only. A backup is read after `age --decrypt`. What the rows say is sealed, so this sees what it is
about and not what it says. The library's tests read the example and write it again, byte for byte.
"""

import pathlib
import struct
import sys

# The format of the rows and the number of index terms, as docs/formats.md has them.
ROWS, TERMS = 1, 7

UNSIGNED, BYTES, TEXT, ARRAY = 0, 2, 3, 4
KINDS = {0: ("header", 7), 1: ("token", 6), 2: ("object", 6), 3: ("tombstone", 5), 4: ("token ends", 3), 5: ("end", 2)}


def head(major, argument):
    for limit, info, form in ((24, None, ""), (1 << 8, 24, ">B"), (1 << 16, 25, ">H"), (1 << 32, 26, ">I")):
        if argument < limit:
            return bytes([major << 5 | (argument if info is None else info)]) + (struct.pack(form, argument) if form else b"")
    return bytes([major << 5 | 27]) + struct.pack(">Q", argument)


def cbor(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(UNSIGNED, value)
    if isinstance(value, bytes):
        return head(BYTES, len(value)) + value
    if isinstance(value, str):
        return head(TEXT, len(value.encode())) + value.encode()
    return head(ARRAY, len(value)) + b"".join(map(cbor, value))


def read(data, at):
    """The item at a place, and the place behind it."""
    first = data[at]
    if first == 0xF6:
        return None, at + 1
    major, info, at = first >> 5, first & 31, at + 1
    if info >= 24:
        length = 1 << info - 24
        argument, at = int.from_bytes(data[at : at + length], "big"), at + length
    else:
        argument = info
    if major == ARRAY:
        items = []
        for _ in range(argument):
            item, at = read(data, at)
            items.append(item)
        return items, at
    if major in (BYTES, TEXT):
        value = data[at : at + argument]
        assert len(value) == argument, "it ends too early"
        return (value if major == BYTES else value.decode()), at + argument
    assert major == UNSIGNED, "nothing else is in a backup"
    return argument, at


def example():
    term = bytes(range(0x30, 0x40))
    terms = [term] + [None] * (TERMS - 2) + [bytes(16)]
    return [
        [0, "keystead backup", 1, ROWS, 1_800_000_000, "0.1.0", 9],
        [1, 0, 2, 4, b"token row", b"digest"],
        [2, bytes([1]) * 16, 300, 1, terms, b"an object's row"],
        [2, bytes([2]) * 16, 2**64 - 1, 4, [None] * TERMS, b""],
        [3, bytes([1]) * 15 + b"\0", 2, 3, b"a tombstone's row"],
        [4, 2, 1],
        [1, 5, 1, 0, b"another", b"digest"],
        [4, 0, 0],
        [5, 2],
    ]


def main():
    if len(sys.argv) == 1:
        place = pathlib.Path(__file__).resolve().parent / "example.cbor"
        place.write_bytes(b"".join(map(cbor, example())))
        return
    data, at, items = pathlib.Path(sys.argv[1]).read_bytes(), 0, []
    while at < len(data):
        item, at = read(data, at)
        items.append(item)
    assert b"".join(map(cbor, items)) == data, "it is not in the one form that it can have"
    for kind, *rest in items:
        name, length = KINDS[kind]
        assert len(rest) + 1 == length, f"{name}: {rest}"
        print(name, *(part.hex() if isinstance(part, bytes) else part for part in rest))


if __name__ == "__main__":
    main()
