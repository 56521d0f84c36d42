#!/usr/bin/env python3
"""deploy/renew/sekisho-renew against a real gateway: when it renews, what it leaves alone, what it says."""

import os
import pathlib
import shutil
import sqlite3
import subprocess
import time

import client
import harness

SCRIPT = harness.SOURCE / "deploy" / "renew" / "sekisho-renew"
DAY = 86400


class Renew(harness.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.need("curl", "openssl")
        cls.sato = cls.gateway.add_user("sato", device=None)

    def setUp(self):
        self.device = self.id().rpartition(".test_")[2].replace("_", "-")[:40]
        self.home = self.gateway.dir / self.device
        self.home.mkdir()
        self.pem = self.home / "device.pem"
        self.gateway.cli("device", "enrol", "--user", "sato", "--name", self.device, "--out", self.pem, password="kago-no-tori-77")
        self.config = self.home / "renew.conf"
        self.configure()

    def configure(self, **more):
        values = {"ENROL": f"https://localhost:{self.gateway.enrol_port}", "DEVICE": "~/device.pem", "CA": self.gateway.ca, **more}
        self.config.write_text("".join(f"{name}={value}\n" for name, value in values.items()))

    def renew(self, *arguments, language="C"):
        """The script's exit status and what it said."""
        done = subprocess.run([SCRIPT, "--config", self.config, *arguments], capture_output=True, text=True, timeout=60,
                              env={"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": language})
        self.assertEqual([p.name for p in self.home.iterdir() if p.name.startswith(".sekisho-renew")], [], "nothing is left")
        return done.returncode, (done.stdout + done.stderr).strip()

    def serial(self):
        return harness.run("openssl", "x509", "-in", self.pem, "-noout", "-serial").decode().strip()

    def age(self, days=80):
        """Makes the gateway believe that the certificate began so many days earlier."""
        with sqlite3.connect(self.gateway.dir / "state" / "broker" / "sekisho.db", timeout=20) as db:
            changed = db.execute("UPDATE certificate SET not_before = not_before - ? WHERE device = "
                                 "(SELECT id FROM device WHERE name = ?)", (days * DAY * 3, self.device)).rowcount
        self.assertEqual(changed, 1)

    def status_of(self, pem):
        """What the gateway answers to who has this certificate; None when the handshake fails."""
        browser = client.Client(self.gateway.port, client.context(self.gateway.ca, pem), source=self.sato.address)
        try:
            return browser.get("/api/office").status, browser.post("/api/login", {"account": "sato", "password": "x"}).json["error"]
        except OSError:
            return None

    def number(self):
        return next(d["id"] for d in self.gateway.rows("device", "list") if d["name"] == self.device)

    def test_a_young_certificate_is_left_alone(self):
        before = self.pem.read_bytes()
        self.assertEqual(self.renew(), (0, ""))
        self.assertEqual(self.pem.read_bytes(), before)
        status, text = self.renew("--status")
        self.assertEqual(status, 0)
        self.assertIn(time.strftime("%Y-%m-%d", time.localtime(time.time() + 90 * DAY)), text)

    def test_the_gateway_refuses_what_is_too_early(self):
        before = self.pem.read_bytes()
        status, text = self.renew("--force")
        self.assertEqual(status, 1)
        self.assertIn("too early", text)
        self.assertEqual(self.pem.read_bytes(), before)

    def test_renewed_and_the_old_one_ends_when_the_new_one_is_used(self):
        old, serial = self.home / "old.pem", self.serial()
        shutil.copy(self.pem, old)
        self.age()
        status, text = self.renew("--force")
        self.assertEqual(status, 0, text)
        self.assertIn("renewed, good until", text)
        self.assertNotEqual(self.serial(), serial)
        self.assertEqual(self.pem.stat().st_mode & 0o777, 0o600)
        keys = [harness.run("openssl", "pkey", "-in", path, "-pubout") for path in (old, self.pem)]
        self.assertNotEqual(*keys)
        subjects = [harness.run("openssl", "x509", "-in", path, "-noout", "-subject", "-ext", "subjectAltName") for path in (old, self.pem)]
        self.assertEqual(*subjects)
        self.assertEqual(self.status_of(old), (200, "login"), "the old one works until the new one is used")
        self.assertEqual(self.status_of(self.pem), (200, "login"))
        self.assertEqual(self.status_of(old), (200, "login"), "who knows no password ends nothing")
        browser = client.Client(self.gateway.port, client.context(self.gateway.ca, self.pem), source=self.sato.address)
        self.sato.new_totp()
        # The wrong tries above cost time.
        harness.until("the password to be taken", lambda: browser.post(
            "/api/login", {"account": "sato", "password": self.sato.password}).status == 200, every=0.5)
        self.assertEqual(browser.post("/api/login/totp", {"code": self.sato.totp.code()}).status, 200)
        self.assertEqual(browser.get("/api/me").status, 200)
        harness.until("the old certificate to be refused", lambda: self.status_of(old) in (None, (200, "auth"), (401, "auth")))

    def test_the_browser_s_store_gets_it(self):
        harness.need("pk12util", "certutil")
        store = self.home / "nssdb"
        store.mkdir()
        harness.run("certutil", "-N", "-d", f"sql:{store}", "--empty-password")
        self.configure(NSSDB="~/nssdb")
        self.age()
        status, text = self.renew("--force")
        self.assertEqual(status, 0, text)
        listed = harness.run("certutil", "-L", "-d", f"sql:{store}").decode()
        self.assertRegex(listed, r"Sekisho \d{4}-\d\d-\d\d +u,u,u")

    def test_a_revoked_device_is_told_so(self):
        self.age()
        self.gateway.cli("device", "revoke", "--id", self.number(), "--reason", "test")
        before = self.pem.read_bytes()
        status, text = self.renew("--force")
        self.assertEqual(status, 1)
        self.assertIn("revoked", text)
        self.assertIn("失効", self.renew("--force", language="ja_JP.UTF-8")[1])
        self.assertEqual(self.pem.read_bytes(), before)

    def test_another_server_gets_nothing(self):
        """A gateway that the office's CA does not vouch for is not asked."""
        other = self.home / "other.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj", "/CN=x",
                        "-keyout", os.devnull, "-out", other], check=True, capture_output=True)
        self.configure(CA=other)
        self.age()
        before = self.pem.read_bytes()
        status, text = self.renew("--force")
        self.assertEqual(status, 1)
        self.assertIn("cannot reach", text)
        self.assertEqual(self.pem.read_bytes(), before)

    def test_settings_that_are_wrong_are_named(self):
        self.configure(ENROL="http://localhost")
        self.assertEqual(self.renew()[0], 1)
        self.assertIn("ENROL", self.renew()[1])
        self.configure(DEVICE=pathlib.Path("/nonexistent"))
        self.assertIn("DEVICE", self.renew()[1])
        self.config.unlink()
        self.assertIn(str(self.config), self.renew()[1])


if __name__ == "__main__":
    harness.main()
