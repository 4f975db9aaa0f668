#!/usr/bin/env python3
"""The kit of masked objects, and a second reader of them, from docs/formats.md alone.

    masked.py write            writes the files of this folder and index.txt
    masked.py read FILE...     what comes of each for a token of the domain, a line each

Needs `cryptography`. The domain key is 32 times 0x0d and the domain's id 16 times 0x0a. What comes of a file is one of

    object ID VERSION HASH     it is taken in; SHA-256 of the record and the value of the key
    tombstone ID VERSION       the end of an object
    foreign                    no masked object at all
    format                     a masked object of another format
    later                      a later version says something that must be understood
    damaged                    not as the page says
    domain                     masked for another domain
    forged                     not as it was masked, or with another key
    refused                    opened, and what is in it is not taken in
"""

import hashlib
import pathlib
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HERE = pathlib.Path(__file__).resolve().parent
DOMAIN_KEY, DOMAIN = b"\x0d" * 32, b"\x0a" * 16

# RFC 8949, section 3: majors.
UNSIGNED, BYTES, TEXT, ARRAY, MAP = 0, 2, 3, 4, 5

KIND, FORMAT, DOMAIN_ID, OBJECT, VERSION, SALT, SEALED = 0, 2, 4, 6, 8, 10, 12
RECORD_FORMAT, RECORD_CLASS, ATTRIBUTES, ORIGIN, TOMBSTONE = 0, 2, 4, 6, 8

# PKCS #11.
CLASS, TOKEN, PRIVATE, LABEL, UNIQUE_ID, APPLICATION, VALUE = 0, 1, 2, 3, 4, 0x10, 0x11
KEY_TYPE, ID, SENSITIVE, ENCRYPT, VALUE_LEN, EXTRACTABLE = 0x100, 0x102, 0x103, 0x104, 0x161, 0x162
LOCAL, NEVER_EXTRACTABLE, ALWAYS_SENSITIVE, PUBLIC_KEY_INFO, CHECK_VALUE = 0x163, 0x164, 0x165, 0x129, 0x90
EC_PARAMS, MASKABLE = 0x180, 0xCB530001
DATA, PRIVATE_KEY, SECRET_KEY, OTP_KEY = 0, 3, 4, 8
AES, EDWARDS, INSIDE = 0x1F, 0x40, (0xCB530001, 0xCB530002)


class Refused(Exception):
    pass


def head(major, argument):
    for limit, info, form in ((24, None, ""), (1 << 8, 24, ">B"), (1 << 16, 25, ">H"), (1 << 32, 26, ">I")):
        if argument < limit:
            return bytes([major << 5 | (argument if info is None else info)]) + (struct.pack(form, argument) if form else b"")
    return bytes([major << 5 | 27]) + struct.pack(">Q", argument)


def cbor(value):
    if value is None:
        return b"\xf6"
    if value is True:
        return b"\xf5"
    if isinstance(value, int):
        return head(UNSIGNED, value)
    if isinstance(value, bytes):
        return head(BYTES, len(value)) + value
    if isinstance(value, str):
        return head(TEXT, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(ARRAY, len(value)) + b"".join(map(cbor, value))
    pairs = sorted((cbor(key), cbor(item)) for key, item in value.items())
    return head(MAP, len(pairs)) + b"".join(key + item for key, item in pairs)


def read_item(data, at):
    """The item at a place, and the place behind it."""
    first = data[at]
    if first in (0xF5, 0xF6):
        return first == 0xF5 or None, at + 1
    major, info, at = first >> 5, first & 31, at + 1
    argument = info
    if info >= 24:
        length = 1 << info - 24
        argument, at = int.from_bytes(data[at : at + length], "big"), at + length
    if major == UNSIGNED:
        return argument, at
    if major in (BYTES, TEXT):
        value = data[at : at + argument]
        return (value if major == BYTES else value.decode()), at + argument
    items = []
    for _ in range(argument * (2 if major == MAP else 1)):
        item, at = read_item(data, at)
        items.append(item)
    return (items if major == ARRAY else dict(zip(items[::2], items[1::2]))), at


def parse(data, outcome):
    """The one item that the data is, in the one form that it can have."""
    try:
        item, _ = read_item(data, 0)
        if cbor(item) == data:
            return item
    except (IndexError, ValueError, OverflowError, TypeError, MemoryError):
        pass
    raise Refused(outcome)


def demand(condition, outcome):
    if not condition:
        raise Refused(outcome)


def key_of(salt):
    return AESGCM(HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=b"keystead 1 masked object").derive(DOMAIN_KEY))


def read(data):
    outside = parse(data, "foreign")
    demand(isinstance(outside, dict) and outside.get(KIND) == "keystead masked object", "foreign")
    demand(outside.get(FORMAT) == 1, "format")
    lengths = {DOMAIN_ID: 16, OBJECT: 16, SALT: 32, SEALED: None}
    for number, length in lengths.items():
        field = outside.get(number)
        demand(isinstance(field, bytes) and length in (None, len(field)), "damaged")
    demand(isinstance(outside.get(VERSION), int), "damaged")
    known = (KIND, FORMAT, VERSION, *lengths)
    demand(all(number % 2 for number in outside if number not in known), "later")
    demand(outside[DOMAIN_ID] == DOMAIN, "domain")
    bound = cbor({number: value for number, value in outside.items() if number != SEALED})
    try:
        content = key_of(outside[SALT]).decrypt(bytes(12), outside[SEALED], bound)
    except (InvalidTag, ValueError):
        raise Refused("forged")
    content = parse(content, "damaged")
    demand(isinstance(content, list) and len(content) == 2 and isinstance(content[0], bytes), "damaged")
    return taken_in(outside[OBJECT], outside[VERSION], *content)


def taken_in(name, version, record, value):
    demand(1 <= version <= 2**62, "refused")
    fields = parse(record, "refused")
    demand(isinstance(fields, dict) and fields.get(RECORD_FORMAT) == 1, "refused")
    others = [number for number in fields if number not in (RECORD_FORMAT, RECORD_CLASS, ATTRIBUTES, ORIGIN, TOMBSTONE)]
    demand(all(number % 2 for number in others), "refused")
    if TOMBSTONE in fields:
        demand(fields[TOMBSTONE] is True and RECORD_CLASS not in fields and value is None, "refused")
        return f"tombstone {name.hex()} {version}"
    attributes, kind = fields.get(ATTRIBUTES), fields.get(RECORD_CLASS)
    demand(isinstance(attributes, dict) and attributes.get(CLASS) == number(kind), "refused")
    demand(attributes.get(TOKEN) == b"\1" and attributes.get(UNIQUE_ID) == name.hex().encode(), "refused")
    demand((kind in (PRIVATE_KEY, SECRET_KEY, OTP_KEY)) == isinstance(value, bytes), "refused")
    key_type = int.from_bytes(attributes.get(KEY_TYPE, b""), "little")
    if kind == SECRET_KEY:
        demand(key_type not in INSIDE and attributes.get(VALUE_LEN) == number(len(value)), "refused")
        demand(key_type != AES or len(value) in (16, 24, 32), "refused")
        demand(attributes.get(CHECK_VALUE, b"") in (b"", check_value(key_type, value)), "refused")
    if kind == PRIVATE_KEY and key_type == EDWARDS:
        try:
            key = serialization.load_der_private_key(value, None)
        except ValueError:
            raise Refused("refused")
        demand(attributes.get(PUBLIC_KEY_INFO) == info(key), "refused")
    return f"object {name.hex()} {version} {hashlib.sha256(record + (value or b'')).hexdigest()}"


def number(value):
    return struct.pack("<Q", value)


def check_value(key_type, value):
    if key_type == AES:
        return Cipher(algorithms.AES(value), modes.ECB()).encryptor().update(bytes(16))[:3]
    return hashlib.sha1(value).digest()[:3]


def info(private):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(serialization.Encoding.DER, form)


NAME = bytes(range(0x20, 0x30))
VALUE_OF_KEY = bytes(range(0x40, 0x60))
COMMON = {TOKEN: b"\1", PRIVATE: b"\1", LABEL: b"label", UNIQUE_ID: NAME.hex().encode()}


def record(kind, attributes, more=None):
    attributes = {CLASS: number(kind), **COMMON, **attributes}
    return {RECORD_FORMAT: 1, RECORD_CLASS: kind, ATTRIBUTES: attributes, ORIGIN: 1, **(more or {})}


def secret(attributes=None, more=None):
    of_key = {
        KEY_TYPE: number(AES), ID: b"id", SENSITIVE: b"\1", ENCRYPT: b"\1", VALUE_LEN: number(32), EXTRACTABLE: b"\0",
        LOCAL: b"\1", NEVER_EXTRACTABLE: b"\1", ALWAYS_SENSITIVE: b"\1", MASKABLE: b"\1",
        CHECK_VALUE: check_value(AES, VALUE_OF_KEY),
    }
    return record(SECRET_KEY, {**of_key, **(attributes or {})}, more)


def mask(content, outside=None, key=key_of, without=(), sealed=None):
    """A masked object; `outside` and `without` change what is outside, and are bound."""
    fields = {KIND: "keystead masked object", FORMAT: 1, DOMAIN_ID: DOMAIN, OBJECT: NAME, VERSION: 3, SALT: b"\x5a" * 32}
    fields.update(outside or {})
    fields = {number: value for number, value in fields.items() if number not in without}
    plain = content if isinstance(content, bytes) else cbor([cbor(content[0]), content[1]])
    made = sealed if sealed is not None else key(fields.get(SALT, b"")).encrypt(bytes(12), plain, cbor(fields))
    return {**fields, SEALED: made} if SEALED not in without else fields


def changed(number, value):
    """A field that was changed afterwards."""
    return cbor({**mask((secret(), VALUE_OF_KEY)), number: value})


def flipped(data, place):
    data = bytearray(data)
    data[place] ^= 1
    return bytes(data)


def kit():
    private = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
    pkcs8 = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    edwards = {
        KEY_TYPE: number(EDWARDS), EC_PARAMS: b"\x06\x03\x2b\x65\x70", PUBLIC_KEY_INFO: info(private), SENSITIVE: b"\1",
        EXTRACTABLE: b"\0", MASKABLE: b"\1",
    }
    good = cbor(mask((secret(), VALUE_OF_KEY)))
    data = record(DATA, {APPLICATION: b"application", VALUE: b"value"})
    tombstone = {RECORD_FORMAT: 1, TOMBSTONE: True}
    other_key = lambda salt: AESGCM(b"\x0e" * 32)
    return [
        ("secret-key", "a secret key", good),
        ("private-key", "a private key", cbor(mask((record(PRIVATE_KEY, edwards), pkcs8)))),
        ("data", "a data object, without a value", cbor(mask((data, None)))),
        ("tombstone", "the end of an object", cbor(mask((tombstone, None)))),
        ("last-version", "a version of eight bytes", cbor(mask((secret(), VALUE_OF_KEY), {VERSION: 2**62}))),
        ("no-check-value", "a check value that was taken away", cbor(mask((secret({CHECK_VALUE: b""}), VALUE_OF_KEY)))),
        ("optional-field", "an optional field of a later version", cbor(mask((secret(), VALUE_OF_KEY), {1001: ["new", None]}))),
        ("optional-record-field", "the same in the record", cbor(mask((secret(None, {1001: "new"}), VALUE_OF_KEY)))),
        ("unknown-attribute", "an attribute of a later version", cbor(mask((secret({0xCB53FFFF: b"x"}), VALUE_OF_KEY)))),
        ("empty", "no bytes", b""),
        ("text", "a text", cbor("keystead masked object")),
        ("cut", "its last byte is missing", good[:-1]),
        ("more", "a byte behind the end", good + b"\0"),
        ("other-kind", "another kind", cbor(mask((secret(), VALUE_OF_KEY), {KIND: "keystead masked"}))),
        ("no-kind", "no kind", cbor(mask((secret(), VALUE_OF_KEY), without=(KIND,)))),
        ("descending", "fields in another order", head(MAP, 2) + cbor(2) + cbor(1) + cbor(0) + cbor("keystead masked object")),
        ("format-2", "a later format", cbor(mask((secret(), VALUE_OF_KEY), {FORMAT: 2}))),
        ("no-format", "no format", cbor(mask((secret(), VALUE_OF_KEY), without=(FORMAT,)))),
        ("critical-field", "a critical field of a later version", cbor(mask((secret(), VALUE_OF_KEY), {1000: "new"}))),
        ("no-domain", "no domain", cbor(mask((secret(), VALUE_OF_KEY), without=(DOMAIN_ID,)))),
        ("no-object", "no id", cbor(mask((secret(), VALUE_OF_KEY), without=(OBJECT,)))),
        ("no-version", "no version", cbor(mask((secret(), VALUE_OF_KEY), without=(VERSION,)))),
        ("no-salt", "no salt", cbor(mask((secret(), VALUE_OF_KEY), without=(SALT,), sealed=bytes(64)))),
        ("no-sealed", "nothing sealed", cbor(mask((secret(), VALUE_OF_KEY), without=(SEALED,)))),
        ("short-object", "an id of 15 bytes", cbor(mask((secret(), VALUE_OF_KEY), {OBJECT: NAME[:15]}))),
        ("version-text", "a version that is no number", cbor(mask((secret(), VALUE_OF_KEY), {VERSION: "3"}))),
        ("other-domain", "masked for another domain", cbor(mask((secret(), VALUE_OF_KEY), {DOMAIN_ID: b"\x0b" * 16}))),
        ("changed-domain", "the domain was changed", changed(DOMAIN_ID, b"\x0b" * 16)),
        ("changed-object", "the id was changed", changed(OBJECT, NAME[::-1])),
        ("changed-version", "the version was changed", changed(VERSION, 4)),
        ("changed-salt", "the salt was changed", changed(SALT, b"\x5b" * 32)),
        ("changed-sealed", "a bit of what is sealed was changed", flipped(good, -40)),
        ("changed-tag", "a bit of the tag was changed", flipped(good, -1)),
        ("added-field", "an optional field was added", changed(1001, "new")),
        ("empty-sealed", "nothing is sealed", cbor(mask(b"", sealed=b""))),
        ("other-key", "masked with another key", cbor(mask((secret(), VALUE_OF_KEY), key=other_key))),
        ("content-cut", "the content ends too early", cbor(mask(cbor([cbor(secret()), VALUE_OF_KEY])[:-1]))),
        ("content-more", "a byte behind the content", cbor(mask(cbor([cbor(secret()), VALUE_OF_KEY]) + b"\0"))),
        ("content-of-three", "a content of three items", cbor(mask(cbor([cbor(secret()), VALUE_OF_KEY, None])))),
        ("content-text", "a record that is a text", cbor(mask(cbor(["record", VALUE_OF_KEY])))),
        ("no-record", "no record", cbor(mask(cbor([b"", None])))),
        ("critical-record-field", "a critical field in the record", cbor(mask((secret(None, {1000: "new"}), VALUE_OF_KEY)))),
        ("session-object", "no token object", cbor(mask((secret({TOKEN: b"\0"}), VALUE_OF_KEY)))),
        ("other-unique-id", "another CKA_UNIQUE_ID", cbor(mask((secret({UNIQUE_ID: b"20" * 16}), VALUE_OF_KEY)))),
        ("version-beyond", "a version that no object comes to", cbor(mask((secret(), VALUE_OF_KEY), {VERSION: 2**62 + 1}))),
        ("version-0", "version 0", cbor(mask((secret(), VALUE_OF_KEY), {VERSION: 0}))),
        ("key-without-value", "a key without a value", cbor(mask((secret(), None)))),
        ("data-with-value", "a data object with a value", cbor(mask((data, VALUE_OF_KEY)))),
        ("tombstone-with-value", "a tombstone with a value", cbor(mask((tombstone, VALUE_OF_KEY)))),
        ("other-length", "another length than CKA_VALUE_LEN", cbor(mask((secret({VALUE_LEN: number(16)}), VALUE_OF_KEY)))),
        ("no-length-of-aes", "a length that no AES key has", cbor(mask((secret({VALUE_LEN: number(31)}), VALUE_OF_KEY[:31])))),
        ("other-value", "another value than CKA_CHECK_VALUE's", cbor(mask((secret(), VALUE_OF_KEY[::-1])))),
        ("other-public-key", "another public key", cbor(mask((record(PRIVATE_KEY, {**edwards, PUBLIC_KEY_INFO: b"x"}), pkcs8)))),
        ("no-private-key", "a value that is no private key", cbor(mask((record(PRIVATE_KEY, edwards), b"\0" * 48)))),
        ("domain-key", "the key of a domain", cbor(mask((secret({KEY_TYPE: number(INSIDE[0]), CHECK_VALUE: b""}), VALUE_OF_KEY)))),
        ("request-key", "the key of a request", cbor(mask((secret({KEY_TYPE: number(INSIDE[1]), CHECK_VALUE: b""}), VALUE_OF_KEY)))),
    ]


def outcome(data):
    try:
        return read(data)
    except Refused as refused:
        return str(refused)


def main():
    if sys.argv[1:] == ["write"]:
        lines = []
        for name, what, data in kit():
            (HERE / f"{name}.masked").write_bytes(data)
            lines.append(f"{name}.masked: {outcome(data)} ({what})\n")
        (HERE / "index.txt").write_text("".join(lines))
        return
    assert sys.argv[1:2] == ["read"], __doc__
    for name in sys.argv[2:]:
        print(outcome(pathlib.Path(name).read_bytes()))


if __name__ == "__main__":
    main()
