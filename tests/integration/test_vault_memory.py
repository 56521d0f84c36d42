#!/usr/bin/env python3
"""Where the vault's keys are: by looking for their bytes in the memory of its process."""

import ctypes
import os
import pathlib
import subprocess

import harness
import vaults
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


class Memory(vaults.Case):
    """Where the keys are, by looking for their bytes in the whole memory of the process."""

    def keys(self):
        file = self.file()
        slot = file["passphrase"]
        out = ctypes.create_string_buffer(32)
        salt = bytes.fromhex(slot["salt"])
        self.assertEqual(ctypes.CDLL("libargon2.so.1").argon2id_hash_raw(
            slot["passes"], slot["memory_kib"], slot["lanes"], PASSPHRASE.encode(), len(PASSPHRASE), salt, len(salt), out, 32), 0)
        root = kwp(out.raw, bytes.fromhex(slot["key"]))
        house = kwp(root, bytes.fromhex(file["house"]))
        return {"root": root, "house": house[:32], "stretched": out.raw, "passphrase": PASSPHRASE.encode()}

    def found(self, keys):
        """Which of them are in memory, in either order of their bytes."""
        pid, names = self.gateway.pid("vault"), set()
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                span, access = line.split()[:2]
                start, end = (int(part, 16) for part in span.split("-"))
                # The sanitizer's shadow is terabytes of nothing.
                if "r" not in access or end - start > 1 << 31 or "[v" in line:
                    continue
                memory.seek(start)
                try:
                    data = memory.read(end - start)
                except OSError:
                    continue
                names |= {name for name, key in keys.items() if key in data or key[::-1] in data}
        return names

    def test_no_key_is_left_after_sealing(self):
        harness.need_root()
        self.init()
        keys = self.keys()
        self.cli("vault", "seal")
        self.cli("vault", "unseal", password=PASSPHRASE)
        # That the search finds what is there.
        self.assertEqual(self.found(keys), {"root", "house"})
        self.cli("vault", "rotate", password=PASSPHRASE)
        self.assertEqual(self.found(keys), {"house"})
        keys = {**keys, **{f"new {name}": key for name, key in self.keys().items()}}
        self.cli("vault", "seal")
        self.assertEqual(self.found(keys), set())

    def test_no_core_is_dumped(self):
        pid = self.gateway.pid("vault")
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        if harness.ROOT:
            # Not dumpable: what is in /proc/<pid> belongs to root, not to the vault's own user.
            self.assertEqual(os.stat(f"/proc/{pid}/mem").st_uid, 0)

if __name__ == "__main__":
    harness.main()
