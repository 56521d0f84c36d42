#!/usr/bin/env python3
"""What the vault's records are for, through a whole gateway: everybody whom an office keeps numbers of, each for its purpose;
another root key; what is damaged is named; and what leaves is encrypted, a right of its own, and logged."""

import contextlib
import json
import sqlite3
import subprocess

import harness
import keeping
import vaults
from keeping import NUMBER

CORPORATE, OTHER_CORPORATE = "8700110005901", "7000012050002"
OTHER, THIRD = "023456789013", "111111111118"


class Life(keeping.Case):
    def reveal(self, record, purpose):
        return self.ask("tsukau", "record reveal", {"record": record, "purpose": purpose, "code": self.fresh_code("tsukau")})

    def client(self, level=2, number=True):
        """A client that tsukau works for; with the rules that its records have."""
        purpose, kept = self.rules()
        rules = {"class": kept, "purposes": [purpose], "fields": {}}
        client = self.answer("kimeru", "client add", rules | {"name": "株式会社みなと", "kana": "ミナト", "number": CORPORATE, "again": CORPORATE})["record"]
        self.give(client, level, number)
        return client, rules

    def give(self, client, level, number=True, document=0):
        self.answer("kimeru", "grant set", {"account": self.number("tsukau"), "client": client, "level": level, "number": number,
                                            "document": document})

    def collected(self, client, rules, **more):
        """Asked for and approved."""
        asked = self.answer("tsukau", "request add", rules | {"kind": 1, "client": client, "why": "契約"} | more)
        self.answer("kimeru", "request approve", {"requests": asked["requests"], "answer": ""})
        return asked["record"]

    def test_everybody_whom_an_office_keeps(self):
        client, rules = self.client()
        employee = self.collected(client, rules, record_kind=2, name="渡 花", kana="ワタリ ハナ", number=NUMBER, again=NUMBER)
        dependant = self.collected(client, rules, record_kind=3, parent=employee, name="渡 空", kana="ワタリ ソラ", number=OTHER, again=OTHER)
        person = self.collected(client, rules, record_kind=4, name="講師 一", kana="コウシ", number=THIRD, again=THIRD)
        company = self.collected(client, rules, record_kind=4, name="合同会社うみ", kana="ウミ", number=OTHER_CORPORATE, again=OTHER_CORPORATE)
        for record, number in ((client, CORPORATE), (employee, NUMBER), (dependant, OTHER), (person, THIRD), (company, OTHER_CORPORATE)):
            self.assertEqual(self.reveal(record, rules["purposes"][0]).json["number"], number)
        rows = self.answer("tsukau", "record list", {"parent": employee})["rows"]
        self.assertEqual([(row["id"], row["kind"], row["parent"]) for row in rows], [(dependant, 3, employee)])
        rows = self.answer("tsukau", "record list", {"client": client, "kind": 4})["rows"]
        self.assertEqual({row["id"] for row in rows}, {person, company})
        # Typed twice, and right.
        wish = rules | {"kind": 1, "record_kind": 2, "client": client, "name": "誤", "why": "契約"}
        for number, again, field in (("123456789012", "123456789012", "number"), (NUMBER, OTHER, "again"), (CORPORATE, CORPORATE, "number")):
            self.refusal(self.ask("tsukau", "request add", wish | {"number": number, "again": again}), 400, "invalid", field)

    def test_only_for_what_it_was_collected(self):
        record, purpose = self.collect()
        other, _ = self.rules()
        self.refusal(self.reveal(record, other), 400, "invalid", "purpose")
        # Nobody adds one afterwards.
        self.refusal(self.ask("tsukau", "record change", {"record": record, "name": "川端 次郎", "purposes": [purpose, other]}), 400, "invalid", "body")
        self.assertEqual(self.answer("tsukau", "record show", {"record": record})["purposes"], [purpose])
        # One that was retired is chosen for no more records; those that have it keep it.
        self.answer("kimeru", "purpose retire", {"purpose": purpose, "retired": True})
        self.assertEqual(self.reveal(record, purpose).json["number"], NUMBER)

    def test_another_root_key_opens_what_there_is(self):
        record, purpose = self.collect()
        for order in ("rotate", "shares"):
            made = self.cli("vault", order, password=vaults.PASSPHRASE)
            self.assertEqual(self.answer("tsukau", "record show", {"record": record})["name"], "川端 次郎")
        later, _ = self.collect()
        self.restart()
        self.cli("vault", "unseal", password=vaults.PASSPHRASE)
        self.assertEqual(self.reveal(record, purpose).json["number"], NUMBER)
        self.cli("vault", "seal")
        self.cli("vault", "recover", password=self.typed(made["sheets"][1], made["sheets"][2]) + "\n" + vaults.CHOSEN)
        self.assertEqual(self.reveal(record, purpose).json["number"], NUMBER)
        self.cli("vault", "passphrase", password=f"{vaults.CHOSEN}\n{vaults.PASSPHRASE}")
        self.restart()
        self.cli("vault", "unseal", password=vaults.PASSPHRASE)
        self.assertEqual(self.answer("tsukau", "record show", {"record": later})["name"], "川端 次郎")
        self.assertEqual(self.reveal(record, purpose).json["number"], NUMBER)

    def database(self, statement):
        with contextlib.closing(sqlite3.connect(self.folder / "records.db", timeout=10)) as db, db:
            return db.execute(statement).fetchall()

    def test_what_stands_in_anothers_place_is_named(self):
        record, purpose = self.collect()
        other, other_purpose = self.collect()
        self.cli("vault", "seal")
        kept = {table: self.database(f"SELECT hex(data_key), hex(sealed) FROM {table} WHERE record = {other}")[0]
                for table in ("record_version", "record_number")}
        for table in kept:
            self.database(f"UPDATE {table} SET (data_key, sealed) = (SELECT data_key, sealed FROM {table} AS o WHERE record = {record})"
                          f" WHERE record = {other}")
        self.cli("vault", "unseal", password=vaults.PASSPHRASE)
        self.refusal(self.ask("tsukau", "record show", {"record": other}), 400, "invalid", "damaged")
        self.refusal(self.reveal(other, other_purpose), 400, "invalid", "damaged")
        named = [(e["detail"]["table"], e["detail"]["row"]) for e in self.entries("vault-damaged")]
        for table in kept:
            self.assertIn((table, other), named)
        # The others go on.
        self.assertEqual(self.reveal(record, purpose).json["number"], NUMBER)
        self.cli("vault", "seal")
        for table, (data_key, sealed) in kept.items():
            self.database(f"UPDATE {table} SET data_key = x'{data_key}', sealed = x'{sealed}' WHERE record = {other}")
        self.cli("vault", "unseal", password=vaults.PASSPHRASE)
        self.assertEqual(self.reveal(other, other_purpose).json["number"], NUMBER)

    def recipient(self):
        folder = self.gateway.dir
        config = folder / "recipient.cnf"
        config.write_text("[req]\ndistinguished_name = dn\n[dn]\n")
        harness.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    folder / "recipient.key", "-out", folder / "recipient.pem", "-subj", "/CN=recipient", "-days", "30", "-config", config,
                    "-addext", "keyUsage=critical,keyAgreement")
        return (folder / "recipient.pem").read_text()

    def test_to_export_is_a_right_of_its_own(self):
        client, rules = self.client(level=2)
        record = self.collected(client, rules, record_kind=2, name="渡 花", kana="ワタリ ハナ", number=NUMBER, again=NUMBER)
        wish = {"client": client, "purpose": rules["purposes"][0], "numbers": True, "recipient": self.recipient()}
        before = len(self.entries("export-make"))
        self.refusal(self.ask("tsukau", "export make", wish | {"code": self.fresh_code("tsukau")}), 403, "denied")
        self.assertEqual(len(self.entries("export-make")), before)
        self.give(client, 3)
        self.refusal(self.ask("tsukau", "export make", wish | {"code": "000000"}), 401, "login", "code")
        made = self.answer("tsukau", "export make", wish | {"code": self.fresh_code("tsukau")})
        entry = self.entries("export-make")[-1]
        detail = entry["detail"]
        self.assertEqual((entry["account"], detail["client"], detail["purpose"], detail["rows"], detail["numbers"]),
                         ("tsukau", client, wish["purpose"], 2, 2), entry)
        self.assertEqual(len(detail["recipient"]), 64)
        self.assertEqual(made["rows"], 2)
        # Whose number it is can see that it went.
        for each in (client, record):
            rows = self.answer("tsukau", "record history", {"record": each})["rows"]
            self.assertIn(("export-make", self.number("tsukau"), wish["purpose"]), [(row["event"], row["account"], row["purpose"]) for row in rows])

    def test_a_file_is_entered_by_two_and_logged(self):
        client, rules = self.client()
        begun = self.answer("tsukau", "import begin", {"client": client, "kind": 2, "class": rules["class"], "purposes": rules["purposes"]})["import"]
        text = "氏名,番号\n渡 一," + OTHER + "\n渡 二,123456789012\n"

        def add(words):
            done = subprocess.run(["base64", "-w0"], input=words.encode(), capture_output=True, check=True).stdout.decode()
            return self.answer("tsukau", "import add", {"import": begun, "offset": 0, "data": done})
        add(text)
        seen = self.answer("tsukau", "import preview", {"import": begun})
        self.assertEqual([(e["row"], e["error"]) for e in seen["errors"]], [(3, "check-digit")])
        self.refusal(self.ask("tsukau", "import ask", {"import": begun}), 409, "state")
        self.answer("tsukau", "import cancel", {"import": begun})
        text = text.replace("123456789012", THIRD)
        begun = self.answer("tsukau", "import begin", {"client": client, "kind": 2, "class": rules["class"], "purposes": rules["purposes"]})["import"]
        add(text)
        self.answer("tsukau", "import preview", {"import": begun})
        self.answer("tsukau", "import ask", {"import": begun})
        self.refusal(self.ask("tsukau", "import apply", {"import": begun, "code": self.fresh_code("tsukau")}), 403, "denied")
        self.assertEqual(self.answer("tsukau", "record list", {"client": client})["total"], 0)
        self.assertEqual(self.answer("kimeru", "import apply", {"import": begun, "code": self.fresh_code("kimeru")})["rows"], 2)
        self.assertEqual(self.answer("tsukau", "record list", {"client": client, "state": 3})["total"], 2)
        entry = self.entries("import-apply")[-1]
        for row in self.answer("tsukau", "record list", {"client": client})["rows"]:
            happened = self.answer("tsukau", "record history", {"record": row["id"]})["rows"]
            self.assertEqual([(each["event"], each["account"]) for each in happened], [("import-apply", self.number("kimeru"))])
        self.assertEqual(entry["account"], "kimeru", json.dumps(entry))

    def test_what_was_disposed_of_does_not_come_back(self):
        record, purpose = self.collect()
        self.answer("tsukau", "record remove", {"record": record})
        self.answer("tsukau", "record restore", {"record": record})
        self.answer("tsukau", "record end", {"records": [record], "started": "2010-04-01"})
        asked = self.answer("tsukau", "request add", {"kind": 3, "records": [record], "why": ""})["requests"]
        self.refusal(self.ask("tsukau", "dispose approve", {"requests": asked, "code": self.fresh_code("tsukau")}), 403, "denied")
        self.answer("kimeru", "dispose approve", {"requests": asked, "code": self.fresh_code("kimeru")})
        for words in ("record remove", "record restore"):
            answer = self.ask("tsukau", words, {"record": record})
            self.assertGreaterEqual(answer.status, 400, words)
        self.assertGreaterEqual(self.reveal(record, purpose).status, 400)
        paper = self.answer("tsukau", "certificate show", {"record": record})
        entry = self.entries("record-dispose")[-1]
        self.assertEqual((paper["asked_by"], paper["approved_by"], paper["seq"]), (self.number("tsukau"), self.number("kimeru"), entry["seq"]))


if __name__ == "__main__":
    harness.main()
