#!/usr/bin/env python3
"""The examples of docs/formats.md, from that page alone: prints them.

Needs the package `cryptography`, 44 or newer. src/seal/tests/published.rs and src/store/sqlite/tests/witness.rs read what this prints.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding

FORMAT, TERMS = 1, 7


def head(major, n):
    for limit, info, size in ((24, n, 0), (1 << 8, 24, 1), (1 << 16, 25, 2), (1 << 32, 26, 4)):
        if n < limit:
            return bytes([major << 5 | info]) + (n.to_bytes(size, "big") if size else b"")
    return bytes([major << 5 | 27]) + n.to_bytes(8, "big")


def cbor(value):
    if value is None:
        return b"\xf6"
    if value is True:
        return b"\xf5"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value)) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in sorted(value.items()))


def mac(key, *parts):
    return hmac.digest(key, b"".join(parts), "sha256")


def hkdf(key, salt, info):
    return mac(mac(salt, key), info + b"\1")


def label(what):
    return f"keystead {FORMAT} {what}".encode()


def gcm(key, nonce, plain, bound):
    return nonce + AESGCM(key).encrypt(nonce, plain, bound)


def ascending(first, length):
    return bytes(range(first, first + length))


token, master, identity = ascending(0x10, 16), ascending(0x40, 32), ascending(0x20, 16)
version, body, material = 300, b"body", b"material"
object_key = hkdf(hkdf(master, token, label("object")), token, label("object key") + identity)
index_key, mac_key, digest_key = (hkdf(master, token, label(what)) for what in ("index", "mac", "digest"))


def show(what, made):
    digits = made.hex()
    print(what)
    for at in range(0, len(digits), 96):
        print("    " + digits[at:at + 96])


salt = ascending(0x60, 16)
hashed = Argon2id(salt=salt, length=32, iterations=1, lanes=1, memory_cost=64).derive(b"123456")
wrapped = aes_key_wrap_with_padding(hkdf(hashed, token, label("kek user")), master)
show("the user's PIN row", cbor({0: FORMAT, 1: salt, 2: 64, 3: 1, 4: 1, 5: wrapped}))
host = ascending(0xC0, 32)
wrapped = aes_key_wrap_with_padding(hkdf(hashed + host, token, label("kek user host")), master)
host_id = hkdf(host, token, label("host key id"))[:16]
show("the same PIN under a host key", cbor({0: FORMAT, 1: salt, 2: 64, 3: 1, 4: 1, 5: wrapped, 6: host_id}))

blind = mac(index_key, b"\0label")[:16]
plain = hashlib.sha256(label("term") + b"\0label").digest()[:16]
show("the terms of a private and of a public object", blind)
show("", plain)


def bound(part, visibility, term, *more):
    return cbor(["keystead", FORMAT, part, token, identity, version, visibility, [term] + [None] * (TERMS - 1), *more])


def sealed(visibility, term, with_material):
    row = {0: FORMAT, 1: visibility, 2: body}
    if visibility == 0:
        row[2] = gcm(object_key, ascending(0x70, 12), body, bound(int(with_material), 0, term))
    if with_material:
        place = bound(2, visibility, term, hashlib.sha256(row[2]).digest())
        row[3] = gcm(object_key, ascending(0x80, 12), material, place)
    if visibility == 1:
        row[4] = mac(mac_key, bound(3, 1, term, row[2], row.get(3)))
    return cbor(row)


show("private, with material", sealed(0, blind, True))
show("the associated data of its body", bound(1, 0, blind))
show("private, without material", sealed(0, blind, False))
show("public, with material", sealed(1, plain, True))
public = sealed(1, plain, False)
show("public, without material, written with a login", public)
show("and without one", cbor({0: FORMAT, 1: 1, 2: body, 4: b""}))


def counted(version, what, row):
    row = hashlib.sha256(row).digest()
    return int.from_bytes(mac(digest_key, identity, version.to_bytes(8, "big"), bytes([what]), row), "little")


digest = ((counted(300, 0, public) + counted(301, 1, b"one")) % (1 << 256)).to_bytes(32, "little")
show("the digest of the object at version 300 and its tombstone at 301, as if both were there", digest)
place = cbor(["keystead", FORMAT, 4, token])
show("the same, sealed", gcm(hkdf(master, token, label("digest seal")), ascending(0xA0, 12), digest, place))

says = cbor(["keystead", FORMAT, 5, token, b"a label".ljust(32), b"8899aabbccddeeff", True])
show("the MAC of a token row", mac(hkdf(master, token, label("token row")), says))

file, row, digest = ascending(0xD0, 16), b"row", b"digest"
before, after = (
    hashlib.sha256(
        label("witness")
        + file
        + revision.to_bytes(8, "big")
        + (3).to_bytes(8, "big")
        + len(row).to_bytes(8, "big")
        + row
        + digest
    ).digest()
    for revision in (7, 8)
)
entry = b"kswitnes" + (1).to_bytes(8, "little") + (300).to_bytes(8, "little") + before + after
show("an entry of a witness, from revision 7 to 8", entry + hashlib.sha256(entry).digest())
