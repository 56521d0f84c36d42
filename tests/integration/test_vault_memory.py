#!/usr/bin/env python3
"""Where the vault's keys are: by looking for their bytes in the memory of its process."""

import contextlib
import os
import pathlib
import sqlite3

import harness
import keeping
import memory
import vaults
from test_token import SANITIZED
from vaults import PASSPHRASE

# Never in a core, and never in the swap; the sanitizer's mlock does nothing.
SAFE = ("dd",) if SANITIZED else ("dd", "lo")


class Memory(vaults.Case):
    def found(self, keys, flags=()):
        return memory.found(self.gateway.pid("vault"), keys, flags)

    def test_no_key_is_left_after_sealing(self):
        harness.need_root()
        self.init()
        keys = memory.root_keys(self.file())
        self.cli("vault", "seal")
        self.cli("vault", "unseal", password=PASSPHRASE)
        # That the search finds what is there.
        self.assertEqual(self.found(keys), {"root", "house"})
        self.assertEqual(self.found(keys, SAFE), set())
        self.cli("vault", "rotate", password=PASSPHRASE)
        self.assertEqual(self.found(keys), {"house"})
        keys = {**keys, **{f"new {name}": key for name, key in memory.root_keys(self.file()).items()}}
        self.cli("vault", "seal")
        self.assertEqual(self.found(keys), set())

    def test_no_core_is_dumped(self):
        pid = self.gateway.pid("vault")
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        if harness.ROOT:
            # Not dumpable: what is in /proc/<pid> belongs to root, not to the vault's own user.
            self.assertEqual(os.stat(f"/proc/{pid}/mem").st_uid, 0)


class Records(keeping.Case):
    """The keys of records, and what they say."""

    def keys(self):
        root = memory.root_keys(self.file())["root"]
        kek = memory.derived(root, b"sekisho record keys")
        with contextlib.closing(sqlite3.connect(self.folder / "keys.db", timeout=10)) as db:
            rows = db.execute("SELECT 'group ' || id, wrapped FROM group_key UNION ALL SELECT name, wrapped FROM own_key").fetchall()
        return {"kek": kek, **{name: memory.kwp(kek, wrapped) for name, wrapped in rows}}

    def test_nothing_is_left_after_sealing(self):
        harness.need_root()
        record, purpose = self.collect()
        number = self.answer("tsukau", "record reveal", {"record": record, "purpose": purpose, "code": self.people["tsukau"].totp.code()})
        self.assertEqual(number["number"], keeping.NUMBER)
        pid = self.gateway.pid("vault")
        self.cli("vault", "seal")
        keys = self.keys()
        self.cli("vault", "unseal", password=PASSPHRASE)
        self.answer("tsukau", "record show", {"record": record})
        there = memory.found(pid, keys)
        self.assertIn("kek", there)
        self.assertTrue([name for name in there if name.startswith("group ")], there)
        self.assertEqual(memory.found(pid, keys, SAFE), set())
        said = {"number": keeping.NUMBER.encode(), "name": "川端 次郎".encode()}
        self.assertIn("name", memory.found(pid, said))
        self.cli("vault", "seal")
        self.assertEqual(memory.found(pid, {**keys, **said}), set())


if __name__ == "__main__":
    harness.main()
