#!/usr/bin/env python3
"""The CA's keys in a real gateway: made by themselves, under a passphrase from a file, locked, rotated under live devices."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

import harness

PASSPHRASE = "kaki-no-ki-42-yama"


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True)


class Case(harness.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.gateway.dir / "state" / "signer" / "ca"

    def keys(self):
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.key"))

    def restart_signer(self):
        """As after a crash; its new pid."""
        old = self.gateway.pid("signer")
        os.kill(old, signal.SIGKILL)
        return harness.until("another signer", lambda: [p for p in self.gateway.pids("signer") if p != old])[0]

    def ca_state(self):
        return next((row["state"] for row in self.gateway.rows("status") if row["part"] == "ca"), None)

    def restart(self):
        """The whole gateway."""
        self.assertTrue(self.gateway.stop())
        self.gateway.start()

    def said(self, text):
        harness.until(lambda: f"{text} in the log", lambda: text in self.gateway.log())

    def let_in(self, person, *devices):
        """Without a login, because a code is good once in 30 seconds."""
        for device in devices:
            self.assertEqual(person.client(device).get("/api/office").json["office"], "試験事務所")

    def issuer_of(self, person, device):
        certificate, _ = person.devices[device]
        return openssl("x509", "-in", certificate, "-noout", "-issuer", "-nameopt", "utf8,sep_multiline").stdout


class ByItself(Case):
    """Nobody has to know what a CA is."""

    def test_made_at_the_first_start(self):
        self.assertEqual(self.keys(), ["1/issuing.key", "1/root.key"])
        for key in self.keys():
            self.assertEqual((self.folder / key).stat().st_mode & 0o7777, 0o600)
            self.assertEqual(openssl("pkey", "-in", self.folder / key, "-noout").returncode, 0)
        root, issuing = self.folder / "1" / "root.crt", self.folder / "1" / "issuing.crt"
        self.assertEqual(openssl("verify", "-x509_strict", "-CAfile", root, issuing).returncode, 0)
        self.assertIn("event=ca-made", self.gateway.log())
        with self.subTest("a device that is let in, before and after a rotation and a start"):
            sato = self.gateway.add_user("sato")
            browser = sato.login()
            self.gateway.cli("ca", "rotate")
            self.assertEqual(self.keys(), ["1/issuing.key", "1/root.key", "2/issuing.key", "2/root.key"])
            self.assertEqual(browser.get("/api/me").status, 200)
            sato.enrol("tablet")
            self.assertIn("CN=試験事務所 CA 1", self.issuer_of(sato, "laptop"))
            self.assertIn("CN=試験事務所 CA 2", self.issuer_of(sato, "tablet"))
            self.let_in(sato, "laptop", "tablet")
            self.restart()
            self.let_in(sato, "laptop", "tablet")
            self.assertEqual(browser.get("/api/me").json["device"], "laptop")
        with self.subTest("each CA has its list"):
            self.revoke(sato, "laptop")
            self.let_in(sato, "tablet")
            self.revoke(sato, "tablet")

    def revoke(self, person, device):
        """The handshake refuses it as soon as the edge has the list."""
        self.gateway.cli("device", "revoke", "--id", person.device_number(device), "--reason", "lost it")
        harness.until(f"{device} to be refused", lambda: not self.shakes_hands(person, device))

    @staticmethod
    def shakes_hands(person, device):
        try:
            person.client(device).get("/api/office")
            return True
        except OSError:
            return False


class UnderAPassphrase(Case):
    @classmethod
    def setUpClass(cls):
        # Before the gateway has a folder of its own.
        cls.secret = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-passphrase-")) / "passphrase"
        cls.addClassCleanup(shutil.rmtree, cls.secret.parent, True)
        cls.secret.write_text(PASSPHRASE + "\n")
        cls.secret.chmod(0o600)
        cls.settings = {"ca_passphrase_file": cls.secret}
        super().setUpClass()

    def check_encrypted(self, keys):
        self.assertEqual(self.keys(), keys)
        for key in keys:
            path = self.folder / key
            self.assertNotEqual(openssl("pkey", "-in", path, "-passin", "pass:", "-noout").returncode, 0)
            self.assertEqual(openssl("pkey", "-in", path, "-passin", f"pass:{PASSPHRASE}", "-noout").returncode, 0)
            text = openssl("asn1parse", "-in", path).stdout
            self.assertRegex(text, r"(?s)PBES2.*scrypt.*aes-256-cbc")

    def wait_for_lock(self):
        harness.until("a locked CA", lambda: self.quiet(self.ca_state) == "locked", 60)

    @staticmethod
    def quiet(what):
        try:
            return what()
        except (OSError, harness.CliError):
            return None

    def test_encrypted_locked_unlocked(self):
        """In order: each step needs the one before."""
        gateway = self.gateway
        with self.subTest("encrypted from the first start"):
            self.check_encrypted(["1/issuing.key", "1/root.key"])
            if harness.ROOT:
                signer = pwd.getpwnam("sekisho-signer").pw_uid
                self.assertNotEqual(self.secret.stat().st_uid, signer)
            sato = gateway.add_user("sato")
            self.let_in(sato, "laptop")
        with self.subTest("the next signer gets the passphrase too"):
            self.restart_signer()
            harness.until("an open CA", lambda: self.quiet(self.ca_state) == "unlocked")
            sato.enrol("phone")
        with self.subTest("without the file it is locked, and says what to do"):
            self.assertTrue(gateway.stop())
            gateway.configure(ca_passphrase_file="")
            gateway.process = harness.Process([gateway.bin / "sekishod", gateway.settings_path], gateway.log_path)
            self.said('event=ca-locked ca=1 hint="sekisho ca unlock"')
            self.wait_for_lock()
            with self.assertRaises(harness.CliError):
                gateway.cli("ca", "unlock", password="wrong-" + PASSPHRASE)
            self.assertEqual(self.ca_state(), "locked")
            gateway.cli("ca", "unlock", password=PASSPHRASE)
            harness.until("the gateway to be up", gateway.is_up, 60)
            self.let_in(sato, "phone")
        with self.subTest("rotation, with the same passphrase"):
            gateway.cli("ca", "rotate", "--passphrase", password=PASSPHRASE)
            self.check_encrypted(["1/issuing.key", "1/root.key", "2/issuing.key", "2/root.key"])
            sato.enrol("tablet")
            self.assertIn("CN=試験事務所 CA 2", self.issuer_of(sato, "tablet"))
        with self.subTest("and the file again"):
            self.assertTrue(gateway.stop())
            gateway.configure(ca_passphrase_file=self.secret)
            gateway.start()
            self.let_in(sato, "laptop", "phone", "tablet")
        self.assertNotIn(PASSPHRASE, gateway.log())

    def test_file_that_others_may_read(self):
        """A second gateway, which does not start."""
        self.other = harness.Gateway(ca_passphrase_file=self.secret.parent / "open")
        self.addCleanup(self.other.remove)
        (self.secret.parent / "open").write_text(PASSPHRASE)
        (self.secret.parent / "open").chmod(0o644)
        done = subprocess.run([self.other.bin / "sekishod", self.other.settings_path], capture_output=True, text=True,
                              env=harness.environment(), timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "others may read the passphrase.*[ぁ-ん]")
        self.assertNotIn(PASSPHRASE, done.stderr)


if __name__ == "__main__":
    harness.main()
