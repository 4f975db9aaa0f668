#!/usr/bin/env python3
"""The kit of requests and grants: writes the files of this folder, index.txt and values.txt, from docs/formats.md alone.

Needs the package `cryptography`, 48 or newer. A line of the index is

    outcome  file  what it is

and the outcome one of

    request  a request that is read
    grant    a grant that is read, and opened by the key of the kit
    sealed   a grant that is read and does not open
    refused  neither

values.txt has the key and what the good files hold.
"""

import base64
import hashlib
import pathlib

from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = pathlib.Path(__file__).resolve().parent
SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
SEED, OTHER_SEED = bytes(range(32)), bytes(range(1, 33))
DOMAIN_KEY = bytes(range(64, 96))
MADE, WEEK = 1_800_000_000, 7 * 24 * 3600


def head(major, n):
    for limit, info, size in ((24, n, 0), (1 << 8, 24, 1), (1 << 16, 25, 2), (1 << 32, 26, 4)):
        if n < limit:
            return bytes([major << 5 | info]) + (n.to_bytes(size, "big") if size else b"")
    return bytes([major << 5 | 27]) + n.to_bytes(8, "big")


def cbor(value):
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(key) + cbor(value[key]) for key in sorted(value))


def pem(label, data):
    text = base64.b64encode(data).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def x_wing(seed):
    expanded = hashlib.shake_256(seed).digest(96)
    halves = mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), x25519.X25519PrivateKey.from_private_bytes(expanded[64:])
    public = [half.public_key() for half in halves]
    raw = b"".join(half.public_bytes(Encoding.Raw, PublicFormat.Raw) for half in public)
    return hpke.MLKEM768X25519PublicKey(*public), raw


PUBLIC, RAW = x_wing(SEED)


def request(**changes):
    fields = {
        0: "keystead domain request",
        2: 1,
        4: bytes([7] * 16),
        6: "0123456789abcdef",
        8: "Second",
        10: RAW,
        12: MADE,
        14: MADE + WEEK,
    }
    fields.update(changes.get("change", {}))
    for gone in changes.get("without", []):
        del fields[gone]
    return cbor(fields)


def grant(change=None, after=None, inside=None, purpose=b"keystead 1 domain grant", to=PUBLIC, asked=None, without=()):
    fields = {
        0: "keystead domain grant",
        2: 1,
        4: request() if asked is None else asked,
        6: bytes([9] * 16),
        8: "fedcba9876543210",
        10: "First",
    }
    fields.update(change or {})
    inside = cbor([DOMAIN_KEY, "production"]) if inside is None else inside
    sealed = SUITE.encrypt(inside, to, purpose + hashlib.sha256(cbor(fields)).digest())
    fields.update({12: sealed[:1120], 14: sealed[1120:]})
    fields.update(after or {})
    for gone in without:
        del fields[gone]
    return cbor(fields)


REQUEST, GRANT = "KEYSTEAD DOMAIN REQUEST", "KEYSTEAD DOMAIN GRANT"
FILES, INDEX = {}, []


def put(outcome, name, what, text):
    FILES[name] = text
    INDEX.append(f"{outcome:8} {name:32} {what}")


def put_request(outcome, name, what, data):
    put(outcome, f"{name}.request", what, pem(REQUEST, data))


def put_grant(outcome, name, what, data):
    put(outcome, f"{name}.grant", what, pem(GRANT, data))


whole = request()
put_request("request", "good", "as a token makes it", whole)
put("request", "with-words.request", "words before it, as in a mail", "Please let me in.\n\n" + pem(REQUEST, whole))
put("request", "crlf.request", "lines that end in another way", pem(REQUEST, whole).replace("\n", "\r\n"))
put_request("request", "optional-field", "an optional field of a later version", request(change={1001: "new"}))
put_request("request", "a-year", "the longest time", request(change={14: MADE + 366 * 86400}))
put_request("refused", "critical-field", "a critical field of a later version", request(change={1000: "new"}))
put_request("refused", "format-2", "a later format", request(change={2: 2}))
put_request("refused", "kind", "another kind of piece", request(change={0: "keystead domain grant"}))
put("refused", "label.request", "another label of PEM", pem(GRANT, whole))
put("refused", "no-pem.request", "the bytes without PEM, in Base64", base64.b64encode(whole).decode())
put("refused", "cut.request", "half of it", pem(REQUEST, whole)[: len(whole) // 2])
put("refused", "empty.request", "nothing", "")
put_request("refused", "no-map", "another item than a map", cbor([1]))
put_request("refused", "trailing", "a byte behind it", whole + b"\0")
put_request("refused", "no-token", "no token id", request(without=[4]))
put_request("refused", "no-key", "no public key", request(without=[10]))
put_request("refused", "no-end", "no time of its end", request(without=[14]))
put_request("refused", "short-token", "a token id of 15 bytes", request(change={4: bytes(15)}))
put_request("refused", "text-token", "a token id that is text", request(change={4: "0123456789abcdef"}))
put_request("refused", "short-key", "a public key without its last byte", request(change={10: RAW[:-1]}))
put_request("refused", "no-ml-kem-key", "coefficients that are not below 3329", request(change={10: b"\xff" * 1216}))
put_request("refused", "ends-before", "ends before it was made", request(change={14: MADE - 1}))
put_request("refused", "ends-at-once", "ends when it was made", request(change={14: MADE}))
put_request("refused", "too-long", "good for longer than a year", request(change={14: MADE + 366 * 86400 + 1}))
descending = head(5, 2) + cbor(2) + cbor(1) + cbor(0) + cbor("keystead domain request")
put_request("refused", "descending", "fields that descend", descending)
put_request("refused", "long-number", "a number that is longer than it must be", whole.replace(b"\x02\x01", b"\x02\x18\x01", 1))

put_grant("grant", "good", "as a token makes it", grant())
put_grant("grant", "optional-field", "an optional field of a later version, bound", grant(change={1001: "new"}))
asked = request(change={1001: "new"})
put_grant("grant", "optional-field-asked", "an answer to a request with one", grant(asked=asked))
put_grant("sealed", "other-key", "sealed for another key", grant(to=x_wing(OTHER_SEED)[0]))
put_grant("sealed", "other-purpose", "sealed for another purpose", grant(purpose=b"keystead 1 domain request"))
put_grant("sealed", "other-domain", "another domain id than it is bound to", grant(after={6: bytes(16)}))
put_grant("sealed", "other-serial", "another serial number than it is bound to", grant(after={8: "0" * 16}))
put_grant("sealed", "other-label", "another label than it is bound to", grant(after={10: "Third"}))
put_grant("sealed", "other-request", "another request than it is bound to", grant(after={4: request(change={8: "Third"})}))
put_grant("sealed", "unbound-field", "an optional field that is not bound", grant(after={1001: "new"}))
put_grant("sealed", "no-ciphertext", "nothing sealed", grant(after={14: b""}))
put_grant("sealed", "short-encapsulation", "an encapsulated key without its last byte", grant(after={12: bytes(1119)}))
put_grant("sealed", "zeros", "zeros for the encapsulated key", grant(after={12: bytes(1120)}))
put_grant("sealed", "short-domain-key", "a domain key of 31 bytes inside", grant(inside=cbor([bytes(31), "production"])))
put_grant("sealed", "no-name", "an empty name inside", grant(inside=cbor([DOMAIN_KEY, ""])))
put_grant("sealed", "long-name", "a name of 65 bytes inside", grant(inside=cbor([DOMAIN_KEY, "x" * 65])))
put_grant("sealed", "speaking-name", "a control character in the name", grant(inside=cbor([DOMAIN_KEY, "a\x1bb"])))
put_grant("sealed", "three-inside", "three items inside", grant(inside=cbor([DOMAIN_KEY, "production", 1])))
put_grant("sealed", "trailing-inside", "a byte behind what is inside", grant(inside=cbor([DOMAIN_KEY, "production"]) + b"\0"))
put_grant("sealed", "empty-inside", "nothing inside", grant(inside=b""))
put_grant("refused", "critical-field", "a critical field of a later version", grant(change={1000: "new"}))
put_grant("refused", "format-2", "a later format", grant(change={2: 2}))
put_grant("refused", "kind", "another kind of piece", grant(change={0: "keystead domain request"}))
put("refused", "label.grant", "another label of PEM", pem(REQUEST, grant()))
put_grant("refused", "bad-request", "a request inside that is none", grant(asked=request(change={2: 2})))
put_grant("refused", "no-request", "no request", grant(without=[4]))
put_grant("refused", "no-domain", "no domain id", grant(without=[6]))
put_grant("refused", "no-encapsulation", "no encapsulated key", grant(without=[12]))
put_grant("refused", "no-sealed", "nothing sealed", grant(without=[14]))
put_grant("refused", "trailing", "a byte behind it", grant() + b"\0")

fingerprint = HKDF(hashes.SHA256(), 32, None, b"keystead 1 domain fingerprint").derive(DOMAIN_KEY)[:16]


def groups(data):
    digits = data.hex()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


VALUES = {
    "seed": SEED.hex(),
    "request-fingerprint": groups(hashlib.sha256(whole).digest()),
    "domain-key": DOMAIN_KEY.hex(),
    "domain-fingerprint": groups(fingerprint),
}
for name, text in FILES.items():
    (HERE / name).write_bytes(text.encode())
(HERE / "index.txt").write_text("".join(line.rstrip() + "\n" for line in INDEX))
(HERE / "values.txt").write_text("".join(f"{name} = {value}\n" for name, value in VALUES.items()))
