"""Reads the bundles beside it by docs/formats.md alone, and says of each whether it is whole. It does not open what is masked in them.

    python3 tests/bundles/read.py
"""

import hashlib
import hmac
import pathlib
import struct
import sys

DOMAIN_KEY = bytes(range(32))
DOMAIN = bytes(range(0xA0, 0xB0))


def hkdf(key, salt, info):
    pseudorandom = hmac.digest(salt or bytes(32), key, "sha256")
    return hmac.digest(pseudorandom, info + b"\x01", "sha256")


def item(data):
    """An item of CBOR that is an unsigned number, bytes, a text or an array, and what follows it."""
    kind, low = data[0] >> 5, data[0] & 31
    if low < 24:
        number, rest = low, data[1:]
    else:
        length = {24: 1, 25: 2, 26: 4, 27: 8}[low]
        number, rest = int.from_bytes(data[1:1 + length], "big"), data[1 + length:]
    if kind == 0:
        return number, rest
    if kind in (2, 3):
        if len(rest) < number:
            raise ValueError("cut off")
        return (rest[:number] if kind == 2 else rest[:number].decode()), rest[number:]
    if kind == 4:
        items = []
        for _ in range(number):
            one, rest = item(rest)
            items.append(one)
        return items, rest
    raise ValueError("an item of another kind")


def frames(data):
    while data:
        if len(data) < 4:
            raise ValueError("cut off")
        (length,) = struct.unpack(">I", data[:4])
        if len(data) < 4 + length:
            raise ValueError("cut off")
        yield data[4:4 + length]
        data = data[4 + length:]


def framed(body):
    return struct.pack(">Q", len(body)) + body


def header(body):
    """The key of the bundle, and how many objects there are at most."""
    kind, name, bundle_format, domain, _serial, _made, count, salt = item(body)[0]
    if (kind, name, bundle_format, domain) != (0, "keystead bundle", 1, DOMAIN):
        raise ValueError("no bundle of this format and domain")
    return hkdf(DOMAIN_KEY, salt, b"keystead 1 bundle"), count


def outcome(data):
    bodies = frames(data)
    try:
        first = next(bodies)
        key, count = header(first)
        mac = hmac.digest(key, framed(first), "sha256")
        if item(next(bodies))[0] != [2, mac]:
            return "refused"
    except (ValueError, IndexError, KeyError, StopIteration, UnicodeDecodeError):
        return "refused"
    objects, seen = 0, framed(mac)
    try:
        for body in bodies:
            entry = item(body)[0]
            if entry[0] == 2:
                good = entry[1] == hmac.digest(key, seen, "sha256") and next(bodies, None) is None
                return "whole" if good else "cut"
            objects, seen = objects + 1, seen + framed(body)
            if entry[0] != 1 or objects > count:
                return "cut"
    except (ValueError, IndexError, KeyError):
        pass
    return "cut"


def main():
    here = pathlib.Path(__file__).parent
    wrong = 0
    for line in (here / "index.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        expected, _, name, what = line.split(None, 3)
        found = outcome((here / name).read_bytes())
        print(f"{found:8} {name:22} {what}")
        wrong += found != expected
    sys.exit(1 if wrong else 0)


main()
