#!/usr/bin/env python3
"""The vault's passphrase, sheets and root key through the whole gateway: tried, changed, and brought over."""

import os
import subprocess

import harness
import vaults
from vaults import BLANK, CHOSEN, PASSPHRASE


class Change(vaults.Case):
    def test_wrong_passphrases_are_counted_slowed_down_and_recorded(self):
        made = self.init()
        self.cli("vault", "seal")
        for failed in (1, 2, 3):
            self.refused("login", "vault", "unseal", password="wrong-wrong-wrong")
            self.assertEqual(self.log_of("vault-refused")[-1]["failed"], failed)
        self.refused("throttled", "vault", "unseal", password=PASSPHRASE)
        self.restart()
        answer = self.cli("vault", "status")
        self.assertEqual(answer["failed"], 3)
        self.assertGreater(answer["wait"], 0)
        self.refused("throttled", "vault", "rotate", password=PASSPHRASE)
        # Two of three sheets do not wait.
        self.cli("vault", "recover", password=self.typed(*made["sheets"][:2]) + "\n" + CHOSEN)
        self.assertNotIn("failed", self.cli("vault", "status"))

    def test_rotating_and_recovering(self):
        made = self.init()
        before = self.file()
        self.cli("vault", "rotate", password=PASSPHRASE)
        after = self.file()
        self.assertEqual(after["generation"], before["generation"] + 1)
        for part in ("house", "mac"):
            self.assertNotEqual(before[part], after[part])
        self.assertEqual(before["shares"], after["shares"])
        self.cli("vault", "passphrase", password=f"{PASSPHRASE}\n{CHOSEN}")
        self.cli("vault", "seal")
        self.refused("login", "vault", "unseal", password=PASSPHRASE)
        self.cli("vault", "unseal", password=CHOSEN)
        self.cli("vault", "seal")
        old = made["sheets"]
        self.refused("exists", "vault", "recover", password=self.typed(old[0], old[0]) + "\n" + PASSPHRASE, field="sheet-2")
        fresh = self.cli("vault", "recover", password=self.typed(old[2], old[1]) + "\n" + PASSPHRASE)
        self.assertEqual(self.state(), "unsealed")
        self.cli("vault", "seal")
        for pair in ((old[0], old[1]), (old[0], fresh["sheets"][1])):
            self.refused("expired", "vault", "recover", password=self.typed(*pair) + "\n" + CHOSEN)
        self.refused("login", "vault", "unseal", password=CHOSEN)
        self.cli("vault", "unseal", password=PASSPHRASE)
        newer = self.cli("vault", "shares", password=PASSPHRASE)
        self.refused("expired", "vault", "recover", password=self.typed(*fresh["sheets"][:2]) + "\n" + CHOSEN)
        self.cli("vault", "recover", password=self.typed(*newer["sheets"][1:]) + "\n" + CHOSEN)
        renewed = self.log_of("vault-renewed")
        self.assertEqual([entry["order"] for entry in renewed[-6:]],
                         ["vault init", "vault rotate", "vault passphrase", "vault recover", "vault shares", "vault recover"])
        self.assertEqual(self.log_of("vault-recover")[-1], {"uid": os.getuid()})

    def put_back(self, files):
        """What somebody who can write the vault's folder does."""
        owner = self.folder.stat()
        for path in self.folder.iterdir():
            if path.is_file():
                path.unlink()
        for path, data in files.items():
            path.write_bytes(data)
            path.chmod(0o600)
            if harness.ROOT:
                os.chown(path, owner.st_uid, owner.st_gid)
        self.restart()

    def files(self):
        self.cli("vault", "seal")
        return {path: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}

    def test_an_older_seal_is_refused(self):
        made = self.init()
        old = self.files()
        self.cli("vault", "passphrase", password=f"{PASSPHRASE}\n{CHOSEN}")
        now = self.files()
        generation = self.file()["generation"]
        root = self.folder / "root.json"
        for name, files in (("alone", now | {root: old[root]}), ("with all of the folder", old)):
            with self.subTest(name):
                self.put_back(files)
                said = self.log_of("vault-rolled-back")[-1]
                self.assertEqual(said, {"generation": generation - 1, "known": generation})
                text = self.refused("expired", "vault", "unseal", password=PASSPHRASE)
                self.assertIn("put the newest copy of the vault's folder back", text)
                self.refused("expired", "vault", "rotate", password=PASSPHRASE)
                self.assertEqual(self.state(), "sealed")
        # The newest opens as ever.
        self.put_back(now)
        self.cli("vault", "unseal", password=CHOSEN)
        # Two who keep sheets can go on with the copy, and what opened the others is good for nothing then.
        self.put_back(old)
        self.cli("vault", "recover", password=self.typed(*made["sheets"][:2]) + "\n" + PASSPHRASE)
        self.assertEqual((self.state(), self.file()["generation"]), ("unsealed", generation + 1))
        self.put_back(now)
        self.refused("expired", "vault", "unseal", password=CHOSEN)


class Older(vaults.Case):
    """A gateway that has had no vault with a root key yet."""

    def test_one_of_before_is_brought_over(self):
        pem = subprocess.run(["sh", "-c", "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 | openssl pkcs8 "
                              "-topk8 -v2 aes-256-cbc -scrypt -scrypt_N 16384 -scrypt_r 8 -scrypt_p 5 -passout env:P"],
                             env={**os.environ, "P": PASSPHRASE}, capture_output=True, check=True).stdout
        old = self.folder / "house.key"
        old.write_bytes(pem)
        old.chmod(0o600)
        if harness.ROOT:
            os.chown(old, self.folder.stat().st_uid, self.folder.stat().st_gid)
        self.assertEqual(self.state(), "sealed")
        self.refused("login", "vault", "unseal", password="wrong-wrong-wrong")
        self.refused("locked", "vault", "rotate", password=PASSPHRASE)
        self.assertTrue(old.exists())
        self.cli("vault", "unseal", password=PASSPHRASE)
        self.assertFalse(old.exists())
        rows = self.rows()
        self.assertEqual((rows["house-key"]["state"], rows["sheets"]["state"]), ("unsealed", "none"))
        self.refused("not-found", "vault", "check", password=self.typed(BLANK))
        self.cli("vault", "shares", password=PASSPHRASE)
        self.restart()
        self.cli("vault", "unseal", password=PASSPHRASE)
        self.assertEqual(self.rows()["sheets"]["state"], "ready")


if __name__ == "__main__":
    harness.main()
