#!/usr/bin/env python3
"""The kit of records and rows: writes the files of this folder and index.txt, from docs/formats.md alone.

Needs the standard library only. Every file is one record (.record), or one row of an object (.row) with the id, version and
terms that the page's examples have. A line of the index is

    outcome  file  what it is

and the outcome one of

    object     a record that is shown, used, changed; written again it gives the same bytes
    later      a record that is shown and can be destroyed, but is neither used nor changed nor copied
    tombstone  the record of what was destroyed
    damaged    no record
    verified, unverified, private, damaged
               what the row of a public object is under the page's example keys; without them a private row does not open
"""

import hashlib
import hmac
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent

# RFC 8949, section 3: majors.
UNSIGNED, BYTES, TEXT, ARRAY, MAP = 0, 2, 3, 4, 5


def head(major, argument):
    for limit, info, form in ((24, None, ""), (1 << 8, 24, ">B"), (1 << 16, 25, ">H"), (1 << 32, 26, ">I")):
        if argument < limit:
            return bytes([major << 5 | (argument if info is None else info)]) + (struct.pack(form, argument) if form else b"")
    return bytes([major << 5 | 27]) + struct.pack(">Q", argument)


def cbor(value):
    if value is True:
        return b"\xf5"
    if value is None:
        return b"\xf6"
    if isinstance(value, Raw):
        return value.bytes
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


class Raw:
    """Bytes that stand for themselves: what a map that is not deterministic is made of."""

    def __init__(self, made):
        self.bytes = made


def pairs(*items):
    """A map with its pairs in this order, whether that is right or not."""
    return Raw(head(MAP, len(items)) + b"".join(cbor(key) + cbor(value) for key, value in items))


# PKCS #11.
CLASS, TOKEN, PRIVATE, LABEL, UNIQUE_ID, APPLICATION, VALUE = 0, 1, 2, 3, 4, 0x10, 0x11
CERTIFICATE_TYPE, KEY_TYPE, SUBJECT, ID, SENSITIVE, ENCRYPT, DECRYPT = 0x80, 0x100, 0x101, 0x102, 0x103, 0x104, 0x105
DERIVE, START_DATE, MODULUS, MODULUS_BITS, PUBLIC_EXPONENT = 0x10C, 0x110, 0x120, 0x121, 0x122
PRIVATE_EXPONENT, VALUE_LEN, EXTRACTABLE, EC_PARAMS, EC_POINT = 0x123, 0x161, 0x162, 0x180, 0x181
ALLOWED_MECHANISMS, WRAP_TEMPLATE, MASKABLE = 0x40000600, 0x40000211, 0xCB530001
DATA, CERTIFICATE, PUBLIC_KEY, PRIVATE_KEY, SECRET_KEY = range(5)
RSA, EC, AES = 0, 3, 0x1F

YES, NO = b"\1", b"\0"
NAME = b"202122232425262728292a2b2c2d2e2f"


def number(value):
    return struct.pack("<Q", value)


def attributes(klass, more):
    return {CLASS: number(klass), TOKEN: YES, PRIVATE: NO, LABEL: b"label", UNIQUE_ID: NAME, **more}


def record(klass, values, origin=0, more={}):
    return {0: 1, 2: klass, 4: values, 6: origin, **more}


POINT = bytes.fromhex("0441046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
P256 = bytes.fromhex("06082a8648ce3d030107")

data = attributes(DATA, {APPLICATION: b"kit", VALUE: b"text"})
certificate = attributes(CERTIFICATE, {CERTIFICATE_TYPE: number(0), SUBJECT: b"0\0", VALUE: b"0\0"})
key = {KEY_TYPE: number(AES), VALUE_LEN: number(32), SENSITIVE: YES, EXTRACTABLE: NO, ENCRYPT: YES, DECRYPT: NO, MASKABLE: NO}
secret = attributes(SECRET_KEY, key)
public = attributes(PUBLIC_KEY, {KEY_TYPE: number(EC), EC_PARAMS: P256, EC_POINT: POINT})
private = attributes(PRIVATE_KEY, {KEY_TYPE: number(EC), EC_PARAMS: P256, SENSITIVE: YES, EXTRACTABLE: NO, MASKABLE: YES})
rsa = attributes(PRIVATE_KEY, {KEY_TYPE: number(RSA), MODULUS: b"\xff" * 256, PUBLIC_EXPONENT: b"\1\0\1"})

whole = cbor(record(DATA, data))
files = []


def good(outcome, name, what, value):
    files.append((outcome, name + ".record", what, cbor(value)))


def bad(name, what, value):
    files.append(("damaged", name + ".record", what, value if isinstance(value, bytes) else cbor(value)))


def without(values, number):
    return {key: value for key, value in values.items() if key != number}


good("object", "data", "a data object, created", record(DATA, data))
good("object", "certificate", "a certificate, created", record(CERTIFICATE, certificate))
good("object", "secret-key", "a secret key, generated", record(SECRET_KEY, secret, 1))
good("object", "public-key", "a public key, generated", record(PUBLIC_KEY, public, 1))
good("object", "private-key", "a private key, unwrapped", record(PRIVATE_KEY, private, 2))
good("object", "rsa-private-key", "a private key with what it may show of itself", record(PRIVATE_KEY, rsa, 2))
good("object", "derived-key", "a secret key, derived", record(SECRET_KEY, secret, 3))
good("object", "minimal", "no attribute but the class", record(DATA, {CLASS: number(DATA)}))
good("object", "empty-values", "values without bytes", record(SECRET_KEY, {**secret, LABEL: b"", ID: b"", START_DATE: b""}))
good("object", "mechanisms", "a list of mechanisms", record(SECRET_KEY, {**secret, ALLOWED_MECHANISMS: number(0x1087) + number(0x1085)}))
good("object", "template", "a template as a value", record(SECRET_KEY, {**secret, WRAP_TEMPLATE: cbor({ENCRYPT: YES, LABEL: b"x"})}))
good("object", "key-before-maskable", "a key without CKA_KEYSTEAD_MASKABLE", record(SECRET_KEY, without(secret, MASKABLE)))
good("object", "long-label", "a length of two bytes", record(DATA, {**data, LABEL: b"l" * 300}))
good("object", "unknown-attribute", "an attribute that no class has", record(DATA, {**data, 0xCB53FFFF: b"\7\7\7"}))
good("object", "optional-field", "an optional field of a later version", record(DATA, data, more={1001: "new"}))
good("object", "optional-fields", "several of them, of every type", record(DATA, data, more={1001: [1, b"2", "3", {0: None}], 7: True, 9: 1 << 40}))
good("later", "critical-field", "a critical field of a later version", record(DATA, data, more={1000: "new"}))
good("later", "critical-key", "the same of a key", record(SECRET_KEY, secret, 1, more={10: {0: b"limit"}}))
good("later", "critical-and-optional", "both kinds of field", record(DATA, data, more={1000: 1, 1001: 2}))
good("tombstone", "tombstone", "what is left of an object", {0: 1, 8: True})
good("tombstone", "tombstone-later", "with an optional field of a later version", {0: 1, 8: True, 1001: 5})

bad("empty", "no bytes", b"")
bad("no-map", "an array", [0])
bad("trailing-byte", "a byte behind the end", whole + b"\0")
bad("twice", "two records", whole + whole)
bad("format-0", "the format before", {**record(DATA, data), 0: 0})
bad("format-2", "another format", {**record(DATA, data), 0: 2})
bad("format-missing", "no format", without(record(DATA, data), 0))
bad("class-missing", "no class", without(record(DATA, data), 2))
bad("attributes-missing", "no attributes", without(record(DATA, data), 4))
bad("origin-missing", "no origin", without(record(DATA, data), 6))
bad("class-unknown", "a class that nobody has", record(77, {**data, CLASS: number(77)}))
bad("class-differs", "CKA_CLASS says another class", record(DATA, {**data, CLASS: number(CERTIFICATE)}))
bad("class-attribute-missing", "no CKA_CLASS", record(DATA, without(data, CLASS)))
bad("origin-unknown", "an origin that nobody has", record(DATA, data, 4))
bad("fields-descend", "fields in another order", pairs((0, 1), (2, DATA), (6, 0), (4, data)))
bad("field-twice", "a field twice", pairs((0, 1), (2, DATA), (2, DATA), (4, data), (6, 0)))
bad("attribute-twice", "an attribute twice", record(DATA, pairs((CLASS, number(DATA)), (LABEL, b"a"), (LABEL, b"a"))))
bad("attributes-descend", "attributes in another order", record(DATA, pairs((LABEL, b"a"), (CLASS, number(DATA)))))
bad("long-number", "a number in more bytes than it takes", pairs((0, Raw(b"\x18\1")), (2, DATA), (4, data), (6, 0)))
bad("long-length", "a length in more bytes than it takes", record(DATA, {**data, LABEL: Raw(b"\x58\1a")}))
bad("long-key", "a field's number in more bytes than it takes", pairs((0, 1), (2, DATA), (4, data), (Raw(b"\x18\6"), 0)))
bad("indefinite-map", "a map of indefinite length", b"\xbf" + whole[1:] + b"\xff")
bad("indefinite-attributes", "attributes of indefinite length", record(DATA, Raw(b"\xbf" + cbor(data)[1:] + b"\xff")))
bad("indefinite-value", "a value of indefinite length", record(DATA, {**data, LABEL: Raw(b"\x5f\x41a\xff")}))
bad("indefinite-unknown", "an unknown field of indefinite length", record(DATA, data, more={1001: Raw(b"\x9f\1\xff")}))
bad("unsorted-unknown", "an unknown field that is not deterministic", record(DATA, data, more={1001: pairs((1, 1), (0, 0))}))
bad("float-unknown", "a floating-point number", record(DATA, data, more={1001: Raw(b"\xfb" + b"\0" * 8)}))
bad("deep-unknown", "more than 16 items inside each other", record(DATA, data, more={1001: Raw(b"\x81" * 20 + b"\0")}))
bad("deep-deep-unknown", "as many as there is room for", record(DATA, data, more={1001: Raw(b"\x81" * 20000 + b"\0")}))
bad("huge-map", "a map of very many fields", b"\xbb" + b"\xff" * 8 + whole[1:])
bad("huge-value", "a value of very many bytes", record(DATA, {**data, LABEL: Raw(b"\x5b" + b"\xff" * 8)}))
bad("huge-attributes", "very many attributes", record(DATA, Raw(b"\xbb\x7f" + b"\xff" * 7)))
bad("huge-unknown", "an unknown field of very many items", record(DATA, data, more={1001: Raw(b"\x9b" + b"\xff" * 8)}))
bad("text-value", "a value that is text", record(DATA, {**data, LABEL: "label"}))
bad("number-value", "a value that is a number", record(DATA, {**data, TOKEN: 1}))
bad("text-class", "a class that is text", {**record(DATA, data), 2: "data"})
bad("negative-class", "a class below zero", {**record(DATA, data), 2: Raw(b"\x20")})
bad("list-attributes", "attributes in a list", {**record(DATA, data), 4: [0, number(DATA)]})
bad("text-key", "a field with a name", pairs((0, 1), (2, DATA), (4, data), (6, 0), ("name", 0)))
bad("boolean-2", "a boolean of 2", record(DATA, {**data, TOKEN: b"\2"}))
bad("boolean-long", "a boolean of eight bytes", record(DATA, {**data, TOKEN: number(1)}))
bad("number-short", "a number of four bytes", record(SECRET_KEY, {**secret, VALUE_LEN: b"\x20\0\0\0"}))
bad("date", "a date with a letter", record(SECRET_KEY, {**secret, START_DATE: b"2026112x"}))
bad("mechanisms-odd", "half a mechanism", record(SECRET_KEY, {**secret, ALLOWED_MECHANISMS: b"\0" * 12}))
bad("template-broken", "a template that is none", record(SECRET_KEY, {**secret, WRAP_TEMPLATE: b"\xff"}))
bad("label-too-long", "a label of more than 64 KiB", record(DATA, {**data, LABEL: b"l" * 65537}))
bad("value-in-the-open", "the value of a secret key", record(SECRET_KEY, {**secret, VALUE: b"\7" * 32}))
bad("private-value-in-the-open", "the value of a private key", record(PRIVATE_KEY, {**private, VALUE: b"\7" * 32}))
bad("exponent-in-the-open", "a secret number of an RSA key", record(PRIVATE_KEY, {**rsa, PRIVATE_EXPONENT: b"\7"}))
bad("foreign-attribute", "an attribute of another class", record(DATA, {**data, ENCRYPT: YES}))
bad("foreign-maskable", "CKA_KEYSTEAD_MASKABLE of a public key", record(PUBLIC_KEY, {**public, MASKABLE: YES}))
bad("key-without-type", "a key of no type", record(SECRET_KEY, without(secret, KEY_TYPE)))
bad("key-of-foreign-type", "a secret key of a type of pairs", record(SECRET_KEY, {**secret, KEY_TYPE: number(RSA)}))
bad("tombstone-with-object", "an object that says it is gone", record(DATA, data, more={8: True}))
bad("tombstone-false", "a tombstone that says no", {0: 1, 8: Raw(b"\xf4")})
bad("tombstone-critical", "a tombstone with a critical field of a later version", {0: 1, 8: True, 10: 0})

# The page's examples.
TOKEN_ID, MASTER = bytes(range(0x10, 0x20)), bytes(range(0x40, 0x60))
OBJECT, VERSION = bytes(range(0x20, 0x30)), 300
TERMS = [hashlib.sha256(b"keystead 1 term\0label").digest()[:16]] + [None] * 6


def hkdf(secret, salt, info):
    extracted = hmac.digest(salt, secret, "sha256")
    return hmac.digest(extracted, info + b"\1", "sha256")


def mac(body, version=VERSION, terms=TERMS, identity=OBJECT):
    bound = ["keystead", 1, 3, TOKEN_ID, identity, version, 1, terms, body, None]
    return hmac.digest(hkdf(MASTER, TOKEN_ID, b"keystead 1 mac"), cbor(bound), "sha256")


def row(outcome, name, what, value):
    files.append((outcome, name + ".row", what, value if isinstance(value, bytes) else cbor(value)))


row("verified", "verified", "a public object, written with a login", {0: 1, 1: 1, 2: whole, 4: mac(whole)})
row("unverified", "unverified", "the same without", {0: 1, 1: 1, 2: whole, 4: b""})
row("damaged", "other-version", "of another version", {0: 1, 1: 1, 2: whole, 4: mac(whole, version=299)})
row("damaged", "other-id", "of another object", {0: 1, 1: 1, 2: whole, 4: mac(whole, identity=TOKEN_ID)})
row("damaged", "other-terms", "with other terms", {0: 1, 1: 1, 2: whole, 4: mac(whole, terms=[None] * 7)})
row("damaged", "short-mac", "a MAC that was cut", {0: 1, 1: 1, 2: whole, 4: mac(whole)[:16]})
row("damaged", "no-mac", "a public object with no place for a MAC", {0: 1, 1: 1, 2: whole})
row("damaged", "private-with-mac", "a private object with a MAC", {0: 1, 1: 0, 2: whole, 4: mac(whole)})
row("damaged", "private-not-sealed", "a private object that is not sealed", {0: 1, 1: 0, 2: whole})
row("damaged", "unverified-material", "material that nobody vouches for", {0: 1, 1: 1, 2: whole, 3: b"\7" * 60, 4: b""})
row("damaged", "row-format-0", "the format before", {0: 0, 1: 1, 2: whole, 4: b""})
row("damaged", "row-format-2", "another format", {0: 2, 1: 1, 2: whole, 4: b""})
row("damaged", "visibility-2", "a visibility that nobody has", {0: 1, 1: 2, 2: whole, 4: b""})
row("damaged", "unknown-field", "a field that nobody knows", {0: 1, 1: 1, 2: whole, 4: b"", 5: 0})
row("damaged", "row-field-twice", "a field twice", pairs((0, 1), (1, 1), (1, 1), (2, whole), (4, b"")))
row("damaged", "row-fields-descend", "fields in another order", pairs((0, 1), (2, whole), (1, 1), (4, b"")))
row("damaged", "row-trailing-byte", "a byte behind the end", cbor({0: 1, 1: 1, 2: whole, 4: b""}) + b"\0")
row("damaged", "row-huge-body", "a body of very many bytes", {0: 1, 1: 1, 2: Raw(b"\x5b" + b"\xff" * 8)})

for old in [*HERE.glob("*.record"), *HERE.glob("*.row")]:
    old.unlink()
for _, name, _, content in files:
    (HERE / name).write_bytes(content)
width = max(len(name) for _, name, _, _ in files)
(HERE / "index.txt").write_text("".join(f"{outcome:<10} {name:<{width}}  {what}\n" for outcome, name, what, _ in files))
