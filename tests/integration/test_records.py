#!/usr/bin/env python3
"""The vault's records through a whole gateway: whose duty it is, what the audit log says before it happens, and what becomes of a
request that must not go on."""

import json
import time

import harness
import vaults


class Records(vaults.Case):
    """One vault, open for all tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway.cli("vault", "init", password=vaults.PASSPHRASE)
        cls.people = {name: cls.gateway.add_user(name, role=role) for name, role in (
            ("tsukau", "staff"), ("kimeru", "staff"), ("yosono", "staff"), ("kanri", "admin"), ("kansa", "auditor"))}
        cls.duty("tsukau", "use")
        cls.duty("kimeru", "manage")
        cls.browsers = {name: person.login() for name, person in cls.people.items()}

    def setUp(self):
        if self.state() != "unsealed":
            self.cli("vault", "unseal", password=vaults.PASSPHRASE)

    @classmethod
    def duty(cls, name, duty):
        return cls.gateway.cli("user", "duty", "--name", name, "--duty", duty)

    def ask(self, name, words, body=None):
        return self.browsers[name].request("POST", "/api/vault/" + words.replace(" ", "-"), body or {})

    def refusal(self, answer, status, error, field=None):
        self.assertEqual((answer.status, answer.json["error"], answer.json.get("field")), (status, error, field), answer)

    def entries(self, event):
        rows = self.gateway.rows("audit", "list", "--last", "60")
        return [r | {"detail": json.loads(r["detail"])} for r in sorted(rows, key=lambda r: r["seq"]) if r["event"] == event]

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
        self.refusal(ask("POST", "/api/vault/purpose-list", raw=b"{}" + b" " * 65535), 413, "too-big")
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
