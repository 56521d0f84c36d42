"""People with duties and an open vault, for tests of its records."""

import json
import sqlite3
import time

import vaults

NUMBER = "123456789018"


class Case(vaults.Case):
    """One vault, open for all tests; tsukau uses records, kimeru manages them."""

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

    def fresh_code(self, name):
        """A code that counts as unused: several in 30 seconds would else wait for the next."""
        with sqlite3.connect(self.gateway.dir / "state" / "broker" / "sekisho.db", timeout=30) as db:
            db.execute("UPDATE account SET totp_last = 0, failures = 0, next_try_ms = 0 WHERE name = ?", (name,))
            db.execute("UPDATE device SET failures = 0, next_try_ms = 0")
        return self.people[name].totp.at(int(time.time()) // 30)

    def ask(self, name, words, body=None):
        return self.browsers[name].request("POST", "/api/vault/" + words.replace(" ", "-"), body or {})

    def refusal(self, answer, status, error, field=None):
        self.assertEqual((answer.status, answer.json["error"], answer.json.get("field")), (status, error, field), answer)

    def entries(self, event):
        rows = self.gateway.rows("audit", "list", "--last", "60")
        return [r | {"detail": json.loads(r["detail"])} for r in sorted(rows, key=lambda r: r["seq"]) if r["event"] == event]

    def answer(self, name, words, body=None):
        answer = self.ask(name, words, body)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def number(self, name):
        return next(row["account"] for row in self.answer("tsukau", "people list")["rows"] if row["name"] == name)

    def rules(self):
        """A purpose and a class that a record can have."""
        purpose = self.answer("kimeru", "purpose add", {"name": f"届出書 {time.monotonic_ns()}", "name_en": "Forms"})["id"]
        kept = self.answer("kimeru", "class list")["rows"] or [self.answer("kimeru", "class add", {
            "name": "7 年", "name_en": "7 years", "start": "提出した日", "start_en": "the day of filing", "years": 7})]
        return purpose, kept[0]["id"]

    def collect(self):
        """A person that an MU has asked for and an MA has approved, with a number."""
        purpose, kept = self.rules()
        laid_down = {"class": kept, "purposes": [purpose], "fields": {}}
        client = self.answer("kimeru", "client add", laid_down | {"name": "株式会社やまと商店", "kana": "ヤマトショウテン",
                                                                 "number": "7000012050002", "again": "7000012050002"})["record"]
        self.answer("kimeru", "grant set", {"account": self.number("tsukau"), "client": client, "level": 2, "number": True, "document": 0})
        asked = self.answer("tsukau", "request add", laid_down | {"kind": 1, "record_kind": 4, "client": client, "name": "川端 次郎",
                                                                  "kana": "カワバタ ジロウ", "number": NUMBER, "again": NUMBER, "why": "源泉徴収"})
        self.refusal(self.ask("tsukau", "request approve", {"requests": asked["requests"], "answer": ""}), 403, "denied")
        self.answer("kimeru", "request approve", {"requests": asked["requests"], "answer": ""})
        return asked["record"], purpose
