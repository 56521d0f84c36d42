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
        self.assertEqual(after["generation"], 2)
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
