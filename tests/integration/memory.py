"""The memory of a process of the gateway, and the vault's keys to look for in it."""

import ctypes
import hashlib
import hmac
import re
import subprocess

from vaults import PASSPHRASE


def kwp(kek, wrapped):
    """RFC 5649 over single AES blocks, which is all that openssl's program does of it."""
    def decrypt(block):
        return subprocess.run(["openssl", "enc", "-d", "-aes-256-ecb", "-nopad", "-K", kek.hex()], input=block,
                              capture_output=True, check=True).stdout

    register, blocks = wrapped[:8], [wrapped[i:i + 8] for i in range(8, len(wrapped), 8)]
    for turn in range(6 * len(blocks), 0, -1):
        at = (turn - 1) % len(blocks)
        register = (int.from_bytes(register, "big") ^ turn).to_bytes(8, "big")
        plain = decrypt(register + blocks[at])
        register, blocks[at] = plain[:8], plain[8:]
    assert register[:4] == bytes.fromhex("a65959a6"), "another key"
    return b"".join(blocks)[:int.from_bytes(register[4:], "big")]


def derived(key, use):
    """HKDF-SHA256 of 32 bytes, without salt."""
    pseudo = hmac.digest(bytes(32), key, hashlib.sha256)
    return hmac.digest(pseudo, use + b"\1", hashlib.sha256)


def root_keys(file):
    """Those that the passphrase opens, out of root.json."""
    slot = file["passphrase"]
    out = ctypes.create_string_buffer(32)
    salt = bytes.fromhex(slot["salt"])
    assert ctypes.CDLL("libargon2.so.1").argon2id_hash_raw(
        slot["passes"], slot["memory_kib"], slot["lanes"], PASSPHRASE.encode(), len(PASSPHRASE), salt, len(salt), out, 32) == 0
    root = kwp(out.raw, bytes.fromhex(slot["key"]))
    house = kwp(root, bytes.fromhex(file["house"]))
    return {"root": root, "house": house[:32], "stretched": out.raw, "passphrase": PASSPHRASE.encode()}


def mappings(pid):
    """Each that can be read: its flags (proc(5), VmFlags) and its bytes."""
    with open(f"/proc/{pid}/smaps") as smaps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for span, access, name, flags in re.findall(r"^([0-9a-f]+-[0-9a-f]+) (\S+) (.*?)\nSize:(?:.*\n)*?VmFlags: (.*)$", smaps.read(), re.M):
            start, end = (int(part, 16) for part in span.split("-"))
            # The sanitizer's shadow is terabytes of nothing.
            if "r" not in access or end - start > 1 << 31 or "[v" in name:
                continue
            memory.seek(start)
            try:
                yield set(flags.split()), memory.read(end - start)
            except OSError:
                continue


def found(pid, keys, flags=()):
    """Which of them are in memory, in either order of their bytes; of mappings that lack one of the flags, if there are any."""
    return {name for has, data in mappings(pid) if not flags or not set(flags) <= has
            for name, key in keys.items() if key in data or key[::-1] in data}
