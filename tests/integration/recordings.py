"""Another reader of recordings, written from docs/recording.md alone."""

import collections
import hashlib
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

HEAD = struct.Struct("<8s16sQQQ32sI")
RECORD = struct.Struct("<BBHII")
ROW = struct.Struct("<QQQIIH")
META, SENT, KEY, INPUT, EVENT, INDEX = range(1, 7)
CHUNK_KEY, CHUNK_LAST = 1, 2

TYPE = bytes.fromhex("060b2a864886f70d0109100117")
DATA = bytes.fromhex("06092a864886f70d010701")
GCM = bytes.fromhex("060960864801650304012e")
AGREEMENT = bytes.fromhex("301506062b8104010b01300b060960864801650304012d")
# ECC-CMS-SharedInfo (RFC 5753 §7.2): id-aes256-wrap, and 256 bits of key.
SHARED_INFO = bytes.fromhex("3015300b060960864801650304012da206040400000100")

Chunk = collections.namedtuple("Chunk", "session sequence time_ms start_us previous flags records")
Record = collections.namedtuple("Record", "kind viewer more at_us payload")


class Wrong(Exception):
    """Not a recording as it should be."""


def take(data, tag):
    """The content of the value at the front, which has this tag, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise Wrong(f"{data[:1].hex()} where {tag:x} should be")
    at, length = 2, data[1]
    if length & 0x80:
        at += length & 0x7f
        length = int.from_bytes(data[2:at], "big")
    if len(data) < at + length:
        raise Wrong("cut off")
    return data[at:at + length], data[at + length:]


def split(data):
    """The DER of each chunk."""
    while data:
        rest = take(data, 0x30)[1]
        yield data[:len(data) - len(rest)]
        data = rest


def running_hash(ders):
    value = bytes(32)
    for der in ders:
        value = hashlib.sha256(value + hashlib.sha256(der).digest()).digest()
    return value


def unwrap(recipient, key):
    """The content's key, or None where it is not this key's."""
    recipient = recipient.removeprefix(b"\x02\x01\x03")
    originator, rest = take(recipient, 0xa0)
    public = take(take(originator, 0xa1)[0][11:], 0x03)[0][1:]
    if not rest.startswith(AGREEMENT):
        raise Wrong("another key agreement")
    wrapped = take(take(take(take(rest[len(AGREEMENT):], 0x30)[0], 0x30)[0], 0xa0)[1], 0x04)[0]
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    shared = key.exchange(ec.ECDH(), point)
    try:
        return aes_key_unwrap(X963KDF(hashes.SHA256(), 32, SHARED_INFO).derive(shared), wrapped)
    except InvalidUnwrap:
        return None


def unseal(der, key):
    """The plaintext of a chunk, and how many it is sealed to."""
    info = take(der, 0x30)[0]
    if not info.startswith(TYPE):
        raise Wrong("another type")
    rest = take(take(info[len(TYPE):], 0xa0)[0], 0x30)[0].removeprefix(b"\x02\x01\x00")
    recipients, rest = take(rest, 0x31)
    content, rest = take(rest, 0x30)
    tag = take(rest, 0x04)[0]
    algorithm, content = take(content.removeprefix(DATA), 0x30)
    if not algorithm.startswith(GCM) or len(tag) != 16:
        raise Wrong("another cipher")
    nonce = take(take(algorithm[len(GCM):], 0x30)[0], 0x04)[0]
    count, found = 0, None
    while recipients:
        recipient, recipients = take(recipients, 0xa1)
        count, found = count + 1, found or unwrap(recipient, key)
    if not found:
        raise Wrong("not sealed to this key")
    return AESGCM(found).decrypt(nonce, take(content, 0x80)[0] + tag, None), count


def parse(plain):
    magic, session, sequence, time_ms, start_us, previous, flags = HEAD.unpack_from(plain)
    if magic != b"SKREC001" or flags & ~3:
        raise Wrong("no chunk inside")
    records, at = [], HEAD.size
    while at < len(plain):
        kind, viewer, more, delta_us, length = RECORD.unpack_from(plain, at)
        at += RECORD.size
        if not META <= kind <= INDEX or viewer > 3 or more > 1 or length > len(plain) - at:
            raise Wrong("no record")
        records.append(Record(kind, viewer, more, start_us + delta_us, plain[at:at + length]))
        at += length
    return Chunk(session, sequence, time_ms, start_us, previous, flags, records)


def read(path, key_file):
    """All chunks, each checked against the one before, and their DER."""
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    ders, chunks, previous = list(split(path.read_bytes())), [], bytes(32)
    for number, der in enumerate(ders):
        chunk = parse(unseal(der, key)[0])
        if chunk.sequence != number or chunk.previous != previous or chunk.session.hex() != path.stem:
            raise Wrong(f"chunk {number} is not in its place")
        previous = hashlib.sha256(der).digest()
        chunks.append(chunk)
    return chunks, ders


def payloads(chunks, *kinds):
    """Whole payloads of these kinds, put together from their pieces."""
    open_ = collections.defaultdict(bytes)
    for chunk in chunks:
        for record in chunk.records:
            name = record.kind, record.viewer
            open_[name] += record.payload
            if not record.more and record.kind in kinds:
                yield record, open_[name]
            if not record.more:
                del open_[name]
