#!/usr/bin/env python3
"""What administrators do in the portal: who may, what is open, and what becomes of it."""

import csv
import hashlib
import io
import os
import sqlite3
import ssl
import subprocess
import time

import client
import harness

INVITE = {"id", "code", "url", "enrol", "gateway", "expires", "account", "person", "device", "office", "fingerprint", "qr"}


class AdminWeb(harness.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.staff = cls.gateway.add_user("sato")
        cls.kanri = cls.gateway.add_user("kanri", role="admin", device="desk")
        cls.browser = cls.kanri.login()

    def look(self, command, browser=None):
        return (browser or self.browser).get(f"/api/admin/{command.replace(' ', '/')}")

    def order(self, command, browser=None, **arguments):
        return (browser or self.browser).post(f"/api/admin/{command.replace(' ', '/')}",
                                              {name.replace("_", "-"): value for name, value in arguments.items()})

    def pages(self, command):
        """The answers of a listing, page after page."""
        after = None
        while True:
            answer = self.look(f"{command} {after}" if after else command)
            self.assertEqual(answer.status, 200, answer)
            yield answer.json
            after = answer.json.get("next")
            if not after:
                return

    def rows(self, command):
        return [dict(zip(page["columns"], row)) for page in self.pages(command) for row in page["rows"]]

    def refused(self, answer, status, code, field=None):
        self.assertEqual((answer.status, answer.json["error"], answer.json.get("field")), (status, code, field), answer)

    def audit(self, event):
        return [row for row in self.gateway.rows("audit", "list", "--last", 200) if row["event"] == event]

    def invite(self, name, **more):
        answer = self.order("device invite", user="sato", name=name, **more)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def request(self, key):
        """A new key and a request for it."""
        return subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                               "-keyout", key, "-subj", "/CN=x"], check=True, capture_output=True, text=True).stdout

    def ask(self, code, csr=None):
        """The device asks; the enrolment port's answer."""
        csr = csr or self.request(self.gateway.dir / f"key-{time.monotonic_ns()}.pem")
        browser = client.Client(self.gateway.enrol_port, client.context(self.gateway.ca), source="127.0.4.4")
        return browser.post("/enrol/api/request", {"code": code, "csr": csr, "key_place": "file"})

    # -- who and what ---------------------------------------------------------------------------------------------

    def test_staff_see_nothing(self):
        browser = self.staff.login()
        self.refused(self.look("device list", browser), 403, "denied")
        self.refused(self.order("device revoke", browser, id=1), 403, "denied")
        browser.cookie = None
        self.refused(self.look("device list", browser), 401, "auth")

    def test_the_device_of_somebody_else_gives_no_rights(self):
        thief = self.staff.client()
        thief.cookie = self.browser.cookie
        self.refused(self.look("device list", thief), 401, "auth")

    def test_only_what_the_table_opens(self):
        for command in ("user/add", "user/totp", "device/enrol", "host/credentials", "ca/show", "ca/rotate", "status",
                        "gateway/rekey", "audit/list", "no/such", "device", "device/list/x"):
            answer = self.browser.get(f"/api/admin/{command}")
            self.assertIn(answer.status, (400, 404), (command, answer))
            answer = self.browser.post(f"/api/admin/{command}", {"id": 1})
            self.assertIn(answer.status, (400, 404), (command, answer))
        self.refused(self.browser.get("/api/admin/user/add"), 404, "not-found")

    def test_looking_is_get_and_ordering_is_post(self):
        self.refused(self.look("device revoke"), 405, "method")
        self.refused(self.order("device list"), 405, "method")

    def test_another_origin_orders_nothing(self):
        answer = self.browser.post("/api/admin/device/unlock", {"id": 1}, headers={"Origin": "https://evil.example"})
        self.refused(answer, 403, "denied", "origin")

    def test_wrong_arguments_name_the_field_in_both_languages(self):
        for command, arguments, field in (
                ("device revoke", {}, "id"), ("device revoke", {"id": "1"}, "id"), ("device revoke", {"id": 1.5}, "id"),
                ("device revoke", {"id": 1, "why": "x"}, "why"), ("device revoke", {"id": 1, "lost": "yes"}, "lost"),
                ("device invite", {"user": "sato"}, "name"), ("device invite", {"user": "sato", "name": "a\u0007"}, "name"),
                ("device invite", {"user": "sato", "name": "x" * 65}, "name"),
                ("device retire", {"id": 1, "disposal": "sold"}, "disposal")):
            answer = self.order(command, **arguments)
            self.refused(answer, 400, "invalid", field)
            self.assertTrue(answer.json["message"].isascii(), answer)
            self.assertRegex(answer.json["message_ja"], "[ぁ-んァ-ン一-龥]", answer)
        self.refused(self.order("device invite", user="nobody", name="PC"), 404, "not-found", "user")
        self.refused(self.order("device approve", id=10 ** 9), 404, "not-found", "id")

    # -- invitations ----------------------------------------------------------------------------------------------

    def test_an_invitation_and_its_end(self):
        invite = self.invite("ノートPC")
        self.assertEqual(set(invite), INVITE)
        self.assertRegex(invite["code"], "^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){6}$")
        self.assertEqual(invite["enrol"], f"https://localhost:{self.gateway.enrol_port}/")
        self.assertEqual(invite["gateway"], f"https://localhost:{self.gateway.port}/")
        self.assertEqual(invite["url"], invite["enrol"] + "#code=" + invite["code"].replace("-", ""))
        self.assertAlmostEqual(invite["expires"], time.time() + 86400, delta=60)
        root = ssl.PEM_cert_to_DER_cert(self.gateway.ca.read_text())
        self.assertEqual(invite["fingerprint"], hashlib.sha256(root).hexdigest())
        size = len(invite["qr"])
        self.assertTrue(size >= 21 and all(len(row) == size and set(row) <= set("01") for row in invite["qr"]))
        row = next(row for row in self.rows("device invites") if row["id"] == invite["id"])
        self.assertEqual((row["user"], row["name"], row["state"], row["by"], row["kind"]),
                         ("sato", "ノートPC", "open", "kanri", "none"))
        self.assertEqual(self.order("device withdraw", id=invite["id"]).json, {})
        self.refused(self.order("device withdraw", id=invite["id"]), 409, "state", "id")
        self.refused(self.order("device approve", id=invite["id"]), 409, "state", "id")
        self.refused(self.ask(invite["code"]), 403, "denied")
        entry = self.audit("device-invite")[-1]
        self.assertEqual((entry["account"], entry["device"], entry["address"]),
                         ("kanri", self.kanri.device_number("desk"), self.kanri.address))

    def test_the_code_is_kept_nowhere(self):
        invite = self.invite("秘密")
        bare = invite["code"].replace("-", "")
        for path in [self.gateway.log_path, *self.gateway.dir.glob("state/broker/*")]:
            if path.is_file():
                data = path.read_bytes()
                self.assertNotIn(bare.encode(), data, path)
                self.assertNotIn(invite["code"].encode(), data, path)

    def test_approving_lets_the_device_in(self):
        invite = self.invite("承認PC")
        key = self.gateway.dir / "approved.pem"
        csr = self.request(key)
        answer = self.ask(invite["code"], csr)
        self.assertEqual((answer.status, answer.json["state"]), (202, "pending"), answer)
        row = next(row for row in self.rows("device invites") if row["id"] == invite["id"])
        self.assertEqual((row["state"], row["kind"], row["key"], row["place"], row["address"]),
                         ("pending", "request", "EC P-256", "file", "127.0.4.4"))
        self.assertEqual(len(row["fingerprint"]), 64)
        self.assertEqual(self.order("device approve", id=invite["id"]).json, {})
        self.refused(self.order("device refuse", id=invite["id"], reason="遅い"), 409, "state", "id")
        row = next(row for row in self.rows("device invites") if row["id"] == invite["id"])
        self.assertEqual((row["state"], row["decided_by"]), ("approved", "kanri"))
        answer = self.ask(invite["code"], csr)
        self.assertEqual((answer.status, answer.json["state"]), (200, "issued"), answer)
        certificate = self.gateway.dir / "approved.crt"
        certificate.write_text(answer.json["certificate"])
        self.staff.devices["承認PC"] = certificate, key
        self.assertEqual(self.staff.login("承認PC").get("/api/me").json["device"], "承認PC")
        row = next(row for row in self.rows("device list") if row["name"] == "承認PC")
        self.assertEqual((row["state"], row["key"], row["place"], row["owners"]), ("active", "EC P-256", "file", "sato"))

    def test_refusing_needs_a_reason_that_the_person_sees(self):
        invite = self.invite("拒否PC")
        self.assertEqual(self.ask(invite["code"]).status, 202)
        self.refused(self.order("device refuse", id=invite["id"]), 400, "invalid", "reason")
        self.refused(self.order("device refuse", id=invite["id"], reason=""), 400, "invalid", "reason")
        self.refused(self.order("device refuse", id=invite["id"], reason="x" * 201), 400, "invalid", "reason")
        self.assertEqual(self.order("device refuse", id=invite["id"], reason="私物の端末です").json, {})
        browser = client.Client(self.gateway.enrol_port, client.context(self.gateway.ca))
        answer = browser.post("/enrol/api/look", {"code": invite["code"]})
        self.assertIn("私物の端末です", answer.body.decode())
        self.assertIn("私物の端末です", self.audit("device-refuse")[-1]["detail"])

    # -- devices --------------------------------------------------------------------------------------------------

    def test_revoking_ends_a_login_at_once(self):
        person = self.gateway.add_user("suzuki")
        browser = person.login()
        number = person.device_number("laptop")
        self.assertEqual(self.order("device revoke", id=number, reason="盗難", lost=True).json, {})
        self.assertEqual(browser.get("/api/me").status, 401)
        row = next(row for row in self.rows("device list") if row["id"] == number)
        self.assertEqual(row["state"], "revoked")
        self.refused(self.order("device revoke", id=number), 409, "state", "id")

    def test_retiring_and_the_file_for_the_auditor(self):
        person = self.gateway.add_user("abe", device='=cmd|"x",ノート')
        number = person.device_number('=cmd|"x",ノート')
        answer = self.order("device retire", id=number, disposal="destroyed", remark="+81, 物理破壊")
        self.assertEqual(answer.json, {})
        row = next(row for row in self.rows("device list") if row["id"] == number)
        self.assertEqual((row["state"], row["disposal"], row["remark"]), ("retired", "destroyed", "+81, 物理破壊"))
        self.refused(self.look("device export"), 405, "method")  # it is in the audit log, so it is an order
        text = self.order("device export", language="ja").json["csv"]
        self.assertTrue(text.startswith("\ufeff") and "\n" not in text.replace("\r\n", ""))
        header, *rows = csv.reader(io.StringIO(text[1:], newline=""))
        self.assertEqual(len(rows), len(self.rows("device list")))
        self.assertTrue(all(len(row) == len(header) for row in rows))
        cells = next(row for row in rows if row[0] == str(number))
        self.assertEqual((cells[1], cells[2], cells[4], cells[15], cells[16], cells[17]),
                         ('\'=cmd|"x",ノート', "abe", "廃棄済み", "破壊", "kanri", "'+81, 物理破壊"))
        self.assertFalse(any(cell[:1] in tuple("=+-@\t\r") for row in rows for cell in row if cell))

    def test_sharing_a_device(self):
        other = self.gateway.add_user("tanaka", device=None)
        other.devices = self.staff.devices
        number = self.staff.device_number("laptop")
        self.assertEqual(self.order("device share", id=number, user="tanaka").json, {})
        browser = other.login("laptop")
        self.assertEqual(browser.get("/api/me").json["account"], "tanaka")
        self.assertEqual(self.order("device unshare", id=number, user="tanaka").json, {})
        self.assertEqual(browser.get("/api/me").status, 401)
        self.refused(self.order("device unshare", id=number, user="sato"), 409, "state", "user")

    # -- the same orders on the command line ------------------------------------------------------------------------

    def test_the_sheet(self):
        sheet = self.gateway.dir / "sheet.html"
        invite = self.gateway.cli("device", "invite", "--user", "sato", "--name", "紙<b>", "--out", sheet)
        text = sheet.read_text()
        self.assertEqual((invite["file"], sheet.stat().st_mode & 0o777), (str(sheet), 0o600))
        self.assertIn(invite["code"], text)
        self.assertIn("紙&lt;b&gt;", text)
        self.assertNotIn("<script", text)
        row = next(row for row in self.rows("device invites") if row["id"] == invite["id"])
        self.assertEqual(row["by"], f"uid {os.geteuid()}")
        text = subprocess.run([self.gateway.bin / "sekisho", "--config", self.gateway.settings_path, "device", "invites"],
                              check=True, capture_output=True, text=True, env=harness.environment(LC_ALL="C.UTF-8")).stdout
        self.assertIn("command line on the gateway (" + ("root)" if harness.ROOT else "uid "), text)
        with self.assertRaises(harness.CliError):  # a file that is there is not overwritten, and nobody is invited
            self.gateway.cli("device", "invite", "--user", "sato", "--name", "二枚目", "--out", sheet)
        self.assertFalse([row for row in self.rows("device invites") if row["name"] == "二枚目"])

    def test_the_inventory_as_a_file(self):
        path = self.gateway.dir / "devices.csv"
        self.assertEqual(self.gateway.cli("device", "export", "--out", path), {"file": str(path)})
        self.assertTrue(path.read_bytes().startswith(b"\xef\xbb\xbfNo.,Device,"))
        for language, words in (("ja", ("番号,端末,", "使用中")), ("en", ("No.,Device,", "In use"))):
            path.unlink()
            self.gateway.cli("device", "export", "--out", path, "--language", language)
            self.assertTrue(all(word in path.read_text() for word in words))

    def test_thousands_of_devices(self):
        many, first = 3000, 10 ** 6
        before = len(self.rows("device list"))
        with sqlite3.connect(self.gateway.dir / "state" / "broker" / "sekisho.db", timeout=30) as db:
            owner = db.execute("SELECT id FROM account WHERE name = 'kanri'").fetchone()[0]
            db.executemany("INSERT INTO device (id, device_key, name, owner, state, created, retired, disposal)"
                           " VALUES (?, randomblob(32), ?, ?, 2, 0, ?, ?)",
                           ((first + i, f"営業部ノート {i:04}", owner, i % 3 and 1, i % 3 and 1) for i in range(many)))
        db.close()
        pages = list(self.pages("device list"))
        ids = [row[0] for page in pages for row in page["rows"]]
        self.assertEqual((len(ids), ids), (before + many, sorted(set(ids))))
        self.assertGreater(len(pages), 3)
        self.assertEqual([row["id"] for row in self.gateway.rows("device", "list")], ids)
        self.assertEqual([row["id"] for row in self.gateway.rows("device", "list", "--after", first + many - 3)],
                         [first + many - 2, first + many - 1])
        path = self.gateway.dir / "all.csv"
        self.gateway.cli("device", "export", "--out", path, "--language", "ja")
        header, *rows = csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
        self.assertEqual([int(row[0]) for row in rows], ids)
        self.assertEqual(sum(row[4] == "廃棄済み" for row in rows if int(row[0]) >= first), many * 2 // 3)
        with sqlite3.connect(self.gateway.dir / "state" / "broker" / "sekisho.db", timeout=30) as db:
            db.execute("DELETE FROM device WHERE id >= ?", (first,))
        db.close()


if __name__ == "__main__":
    harness.main()
