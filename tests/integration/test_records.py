#!/usr/bin/env python3
"""The vault's records through a whole gateway: whose duty it is, what the audit log says before it happens, and what becomes of a
request that must not go on."""

import json
import os
import time

import harness
import keeping
import vaults
from keeping import NUMBER


class Records(keeping.Case):
    def test_a_change_is_in_the_audit_log(self):
        answer = self.ask("kimeru", "purpose add", {"name": "源泉徴収票の作成", "name_en": "Withholding slips"})
        self.assertEqual(answer.status, 200, answer)
        entry = self.entries("purpose-add")[-1]
        self.assertEqual(entry["account"], "kimeru")
        rows = self.ask("tsukau", "purpose list").json["rows"]
        self.assertIn((answer.json["id"], "源泉徴収票の作成"), [(row["id"], row["name"]) for row in rows])

    def test_a_duty_is_needed(self):
        before = len(self.entries("record-refused"))
        for name in ("tsukau", "yosono", "kanri", "kansa"):
            self.refusal(self.ask(name, "purpose add", {"name": "x", "name_en": "x"}), 403, "denied")
        for name in ("yosono", "kanri", "kansa"):
            self.refusal(self.ask(name, "people list"), 403, "denied")
        refused = self.entries("record-refused")[before:]
        self.assertEqual([(r["account"], r["detail"]["op"]) for r in refused],
                         [(name, "purpose add") for name in ("tsukau", "yosono", "kanri", "kansa")] +
                         [(name, "people list") for name in ("yosono", "kanri", "kansa")])

    def test_who_there_is(self):
        rows = {row["name"]: row for row in self.ask("tsukau", "people list").json["rows"]}
        self.assertEqual({name: row["records"] for name, row in rows.items() if name in self.people},
                         {"tsukau": "use", "kimeru": "manage", "yosono": "none", "kanri": "none", "kansa": "none"})
        self.assertEqual(rows["tsukau"]["full_name"], "tsukau 花子")

    def test_what_one_may_not_see_is_refused_and_logged(self):
        self.refusal(self.ask("tsukau", "record history", {"record": 4711}), 404, "not-found")
        entry = self.entries("record-refused")[-1]
        self.assertEqual((entry["account"], entry["detail"]["op"], entry["detail"]["record"]), ("tsukau", "record history", 4711))

    def test_a_number_is_revealed_after_the_entry(self):
        record, purpose = self.collect()
        totp = self.people["tsukau"].totp
        shown = self.answer("tsukau", "record show", {"record": record})
        self.assertNotIn(NUMBER, json.dumps(shown))
        wish = {"record": record, "purpose": purpose}
        self.refusal(self.ask("tsukau", "record reveal", wish), 400, "invalid", "code")
        self.refusal(self.ask("tsukau", "record reveal", wish | {"code": "000000"}), 401, "login", "code")
        code = totp.code()
        before = len(self.entries("record-reveal"))
        self.assertEqual(self.answer("tsukau", "record reveal", wish | {"code": code})["number"], NUMBER)
        entry = self.entries("record-reveal")[before:]
        self.assertEqual([(e["account"], e["detail"]["record"], e["detail"]["purpose"]) for e in entry], [("tsukau", record, purpose)])
        self.refusal(self.ask("tsukau", "record reveal", wish | {"code": code}), 401, "login", "code")
        self.assertEqual(len(self.entries("record-reveal")), before + 1)
        # Who looked, when, and what for.
        rows = self.answer("tsukau", "record history", {"record": record, "after": 0})["rows"]
        self.assertIn(("record-reveal", self.number("tsukau"), purpose), [(row["event"], row["account"], row["purpose"]) for row in rows])
        self.assertIn("record-show", [row["event"] for row in rows])
        self.assertEqual([row["time"] for row in rows], sorted((row["time"] for row in rows), reverse=True))
        for path in self.gateway.dir.rglob("*.log"):
            self.assertNotIn(NUMBER, path.read_text(errors="replace"))

    def test_a_vault_from_a_copy(self):
        self.cli("vault", "seal")
        copies = {path: path.read_bytes() for path in self.folder.iterdir() if path.name.startswith("records.db")}
        self.cli("vault", "unseal", password=vaults.PASSPHRASE)
        self.rules()
        self.cli("vault", "seal")
        newer = {path: path.read_bytes() for path in self.folder.iterdir() if path.name.startswith("records.db")}
        self.put_back(copies, newer)
        self.refusal(self.ask("tsukau", "purpose list"), 503, "unavailable", "rolled-back")
        self.assertEqual(len(self.entries("vault-rolled-back")), 1)
        # Of another vault, too: the broker is the one that knows.
        self.restart()
        self.cli("vault", "unseal", password=vaults.PASSPHRASE)
        self.refusal(self.ask("tsukau", "purpose list"), 503, "unavailable", "rolled-back")
        self.cli("vault", "seal")
        self.put_back(newer, copies)
        self.answer("tsukau", "purpose list")

    def put_back(self, files, instead):
        for path in instead:
            path.unlink(missing_ok=True)
        for path, data in files.items():
            owner = path.parent.stat()
            path.write_bytes(data)
            path.chmod(0o600)
            if harness.ROOT:
                os.chown(path, owner.st_uid, owner.st_gid)
        self.cli("vault", "unseal", password=vaults.PASSPHRASE)

    def test_a_sealed_vault_says_so(self):
        self.cli("vault", "seal")
        self.refusal(self.ask("tsukau", "purpose list"), 423, "locked", "vault")
        # What the broker knows itself needs no vault.
        self.assertEqual(self.ask("tsukau", "people list").status, 200)

    def test_a_vault_that_dies_is_heard_of(self):
        self.restart()
        self.refusal(self.ask("tsukau", "purpose list"), 423, "locked", "vault")
        self.cli("vault", "unseal", password=vaults.PASSPHRASE)
        self.assertEqual(self.ask("tsukau", "purpose list").status, 200)

    def test_bodies(self):
        ask = self.browsers["tsukau"].request
        self.refusal(ask("POST", "/api/vault/purpose-list", raw=b"[]"), 400, "invalid", "body")
        # Refused for what it says of its length, before any of it has come.
        self.refusal(ask("POST", "/api/vault/purpose-list", raw=b"", headers={"Content-Length": "65537"}), 413, "too-big")
        self.refusal(ask("POST", "/api/vault/record-history", {"record": "1"}), 400, "invalid", "record")
        self.refusal(ask("POST", "/api/vault/no-such-thing", {}), 404, "not-found")
        self.refusal(ask("POST", "/api/vault/purpose/list", {}), 404, "not-found")
        self.refusal(ask("GET", "/api/vault/purpose-list"), 405, "method")

    def test_duties(self):
        for name in ("kanri", "kansa"):
            with self.assertRaises(harness.CliError):
                self.duty(name, "use")
        with self.assertRaises(harness.CliError):
            self.duty("yosono", "both")
        me = {name: browser.request("GET", "/api/me").json["records"] for name, browser in self.browsers.items()}
        self.assertEqual(me, {"tsukau": "use", "kimeru": "manage", "yosono": "", "kanri": "", "kansa": ""})
        self.duty("yosono", "use")
        self.assertEqual(self.ask("yosono", "people list").status, 200)
        begun = time.monotonic()
        self.duty("yosono", "none")
        self.refusal(self.ask("yosono", "people list"), 403, "denied")
        self.assertLess(time.monotonic() - begun, harness.PATIENCE)
        last = self.entries("account-duty")[-2:]
        self.assertEqual([(e["detail"]["account"], e["detail"]["before"], e["detail"]["duty"]) for e in last],
                         [("yosono", "", "use"), ("yosono", "use", "")])


if __name__ == "__main__":
    harness.main()
