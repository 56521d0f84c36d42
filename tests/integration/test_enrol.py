#!/usr/bin/env python3
"""From the code on a sheet of paper to a device that logs in, and to its end: by the enrolment page's requests, with a
real gateway, a signer that is stopped, and a disk that is full."""

import base64
import os
import pathlib
import shutil
import signal
import sqlite3
import ssl
import sys
import tempfile
import threading
import time

import client
import desktops
import harness
import sessions

INSIDE = "SEKISHO_TEST_INSIDE"
PKI_WAIT = 5


class Device:
    """A key, its request, and the certificate once there is one."""

    count = 0

    def __init__(self, gateway, kind=("ec", "ec_paramgen_curve:P-256")):
        Device.count += 1
        self.gateway = gateway
        self.key = gateway.dir / f"device-{Device.count}.key"
        self.certificate = gateway.dir / f"device-{Device.count}.pem"
        self.address = f"127.0.9.{Device.count}"
        self.csr = harness.run("openssl", "req", "-new", "-newkey", kind[0], "-pkeyopt", kind[1], "-nodes", "-keyout",
                               self.key, "-subj", "/CN=what I like/OU=kanri").decode()

    def stranger(self):
        """A browser at the enrolment port, without a certificate."""
        return client.Client(self.gateway.enrol_port, client.context(self.gateway.ca), source=self.address)

    def ask(self, code, csr=None):
        return self.stranger().post("/enrol/api/request", {"code": code, "csr": csr or self.csr, "key_place": "store"})

    def look(self, code):
        return self.stranger().post("/enrol/api/look", {"code": code})

    def take(self, answer):
        self.certificate.write_text(answer.json["certificate"])
        return self

    def browser(self, port=None):
        """With the certificate."""
        return client.Client(port or self.gateway.port, client.context(self.gateway.ca, self.certificate, self.key),
                             source=self.address)


class Case(sessions.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = cls.gateway.dir / "state" / "broker" / "sekisho.db"

    def invite(self, name="ノートPC", approved=True, user="sato"):
        made = self.gateway.cli("device", "invite", "--user", user, "--name", name, *(["--pre-approved"] if approved else []))
        return made["code"]

    def refused(self, answer, status, code, **more):
        self.assertEqual((answer.status, answer.json["error"]), (status, code), answer)
        for name, value in more.items():
            self.assertEqual(answer.json.get(name), value, answer)

    def colleague(self, name):
        """Somebody without a device, whose first code need not be waited for."""
        return self.gateway.add_user(name, device=None)

    @staticmethod
    def logs_in(browser, person):
        return browser.login(person.name, person.password, person.totp)

    def enrolled(self, name="ノートPC", user="sato"):
        device = Device(self.gateway)
        answer = device.ask(self.invite(name, user=user))
        self.assertEqual(answer.status, 200, answer)
        return device.take(answer)

    def sql(self, text, *values):
        """Another connection to the database, while the broker runs."""
        with sqlite3.connect(self.database, timeout=10) as connection:
            connection.execute(text, values)
        connection.close()

    def count(self, text):
        connection = sqlite3.connect(self.database, timeout=10)
        try:
            return connection.execute(text).fetchone()[0]
        finally:
            connection.close()

    def audit(self, event):
        return [row for row in self.gateway.rows("audit", "list", "--last", 200) if row["event"] == event]


class Enrol(Case):
    # -- the way ----------------------------------------------------------------------------------------------------

    def test_from_the_sheet_to_the_login(self):
        device, mori = Device(self.gateway), self.colleague("mori")
        code = self.invite(approved=False, user="mori")
        seen = device.look(code.replace("-", "").lower())
        self.assertEqual((seen.status, seen.json["state"], seen.json["device"], seen.json["account"]),
                         (200, "open", "ノートPC", "mori"), seen)
        answer = device.ask(code)
        self.assertEqual((answer.status, answer.json["state"], answer.json["kind"]), (202, "pending", "request"), answer)
        self.assertEqual(int(answer.headers["Retry-After"]), answer.json["retry_s"])
        waiting = next(row for row in self.gateway.rows("device", "invites") if row["state"] == "pending")
        self.assertEqual((waiting["key"], waiting["address"]), ("EC P-256", device.address))
        self.assertEqual(device.ask(code).status, 202)
        self.gateway.cli("device", "approve", "--id", waiting["id"])
        answer = device.ask(code)
        self.assertEqual((answer.status, answer.json["state"]), (200, "issued"), answer)
        device.take(answer)
        text = harness.run("openssl", "x509", "-in", device.certificate, "-noout", "-subject", "-nameopt", "utf8,sep_comma_plus").decode()
        self.assertIn("CN=ノートPC", text)
        self.assertIn("OU=mori", text)
        self.assertNotIn("kanri", text)
        browser = device.browser()
        me = self.logs_in(browser, mori)
        self.assertEqual((me["device"], me["device_until"], me["device_renew"]), ("ノートPC", answer.json["until"], False))
        for event in ("device-request", "device-enrol"):
            self.assertTrue(any(row["account"] == "mori" and row["address"] == device.address for row in self.audit(event)))

    def test_keys_of_all_kinds(self):
        for kind in (("ec", "ec_paramgen_curve:P-384"), ("rsa", "rsa_keygen_bits:3072")):
            with self.subTest(kind=kind):
                device = Device(self.gateway, kind)
                answer = device.ask(self.invite())
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual(device.take(answer).browser().get("/api/office").status, 200)

    def test_a_file(self):
        device, code = Device(self.gateway), self.invite("携帯")
        answer = device.stranger().post("/enrol/api/file", {"code": code, "compatible": False})
        self.assertEqual(answer.status, 200, answer)
        path = self.gateway.dir / "taken.p12"
        path.write_bytes(base64.b64decode(answer.json["file"]))
        for out, what in ((device.certificate, "-clcerts"), (device.key, "-nocerts")):
            harness.run("openssl", "pkcs12", "-in", path, "-passin", f"pass:{answer.json['password']}", what, "-noenc", "-out", out)
        self.assertEqual(device.browser().get("/api/office").status, 200)
        self.refused(device.stranger().post("/enrol/api/file", {"code": code, "compatible": False}), 409, "used")

    # -- codes and keys that are not good -----------------------------------------------------------------------------

    def test_replayed(self):
        device, code = Device(self.gateway), self.invite()
        self.assertEqual(device.ask(code).status, 200)
        self.refused(device.ask(code), 409, "used")
        self.refused(Device(self.gateway).ask(code), 409, "used")
        self.assertEqual(device.look(code).json["state"], "issued")

    def test_expired(self):
        device, code = Device(self.gateway), self.invite()
        self.sql("UPDATE invite SET expires = unixepoch() WHERE id = (SELECT max(id) FROM invite)")
        self.refused(device.ask(code), 410, "expired")
        self.assertEqual(device.look(code).json["state"], "expired")
        self.sql("UPDATE invite SET expires = unixepoch() + 60 WHERE id = (SELECT max(id) FROM invite)")
        self.assertEqual(device.ask(code).status, 200)

    def test_refused_and_withdrawn(self):
        device, code = Device(self.gateway), self.invite(approved=False)
        device.ask(code)
        number = next(row["id"] for row in self.gateway.rows("device", "invites") if row["state"] == "pending")
        self.gateway.cli("device", "refuse", "--id", number, "--reason", "私物の端末です")
        self.refused(device.ask(code), 403, "denied", reason="私物の端末です")
        self.assertEqual(device.look(code).json["reason"], "私物の端末です")
        code = self.invite()
        number = max(row["id"] for row in self.gateway.rows("device", "invites"))
        self.gateway.cli("device", "withdraw", "--id", number)
        self.refused(device.ask(code), 403, "denied")

    def test_keys_that_are_known(self):
        device = self.enrolled()
        self.refused(device.ask(self.invite()), 422, "key")
        self.gateway.cli("device", "revoke", "--id", max(row["id"] for row in self.gateway.rows("device", "list")))
        self.refused(device.ask(self.invite()), 422, "key")
        self.refused(Device(self.gateway, ("rsa", "rsa_keygen_bits:2048")).ask(self.invite()), 422, "key")

    def test_requests_that_are_none(self):
        device, code = Device(self.gateway), self.invite()
        lines = device.csr.splitlines()
        for csr in ("x", "AAAA", device.csr[:200], "\n".join(lines[:-3] + lines[-1:]), device.csr + device.csr, "A" * 12000):
            with self.subTest(csr=csr[:40]):
                answer = device.ask(code, csr)
                self.assertIn((answer.status, answer.json.get("field")), ((400, "csr"), (413, "csr")), answer)
        self.assertEqual(device.ask(code).status, 200)

    def test_wrong_codes(self):
        device, code = Device(self.gateway), self.invite()
        before = len(self.audit("enrol-refused"))
        statuses = [device.look(f"0000-0000-0000-0000-0000-0000-{i:04}").status for i in range(30)]
        self.assertEqual(set(statuses), {401, 429})
        self.assertEqual(statuses[0], 401)
        self.assertLessEqual(len(self.audit("enrol-refused")) - before, 1)
        self.assertEqual(device.ask(code).status, 200, "a right code from the same address")

    # -- races --------------------------------------------------------------------------------------------------------

    def test_of_devices_that_race_one_wins(self):
        for approved in (True, False):
            with self.subTest(approved=approved):
                code, answers = self.invite("競争", approved), []
                devices = [Device(self.gateway) for _ in range(6)]
                before = self.count("SELECT count(*) FROM device")
                start = threading.Barrier(len(devices))

                def ask(device):
                    browser = device.stranger()
                    browser.get("/enrol/api/office")
                    start.wait()
                    answers.append(browser.post("/enrol/api/request",
                                                {"code": code, "csr": device.csr, "key_place": "store"}))

                threads = [threading.Thread(target=ask, args=(device,)) for device in devices]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                won = [answer for answer in answers if answer.status in (200, 202)]
                self.assertEqual(len(won), 1, answers)
                for answer in answers:
                    if answer is not won[0]:
                        self.refused(answer, 409, "used")
                self.assertEqual(self.count("SELECT count(*) FROM device") - before, 1 if approved else 0)

    # -- the signer ---------------------------------------------------------------------------------------------------

    def test_a_signer_that_is_stopped(self):
        device, code = Device(self.gateway), self.invite()
        pid = self.gateway.pid("signer")
        os.kill(pid, signal.SIGSTOP)
        try:
            begin = time.monotonic()
            answer = device.ask(code)
            self.refused(answer, 503, "unavailable")
            self.assertGreater(answer.json["retry_s"], 0)
            self.assertLess(time.monotonic() - begin, PKI_WAIT + 3 * harness.PATIENCE)
            # The rest of the gateway does not wait for it.
            self.assertEqual(self.browser.get("/api/me").status, 200)
        finally:
            os.kill(pid, signal.SIGCONT)
        answers = []
        harness.until("the same code to work", lambda: answers.append(device.ask(code)) or answers[-1].status == 200, 15, 0.5)
        self.assertEqual(device.take(answers[-1]).browser().get("/api/office").status, 200)

    def test_a_signer_that_dies(self):
        device, code = Device(self.gateway), self.invite()
        os.kill(self.gateway.pid("signer"), signal.SIGKILL)
        answer = device.ask(code)
        if answer.status != 200:
            self.refused(answer, 503, "unavailable")
            harness.until("the same code to work", lambda: device.ask(code).status == 200, 30, 0.5)

    # -- renewal ------------------------------------------------------------------------------------------------------

    def age(self, name):
        """As if most of the certificate's life were over."""
        self.sql("UPDATE certificate SET not_before = unixepoch() - 80 * 86400, not_after = unixepoch() + 10 * 86400"
                 " WHERE device = (SELECT max(id) FROM device WHERE name = ?)", name)

    def test_renewed_in_the_portal(self):
        uehara = self.colleague("uehara")
        device = self.enrolled("更新", "uehara")
        browser = device.browser()
        self.logs_in(browser, uehara)
        self.refused(browser.post("/api/device/renew", {"compatible": False}), 409, "state")
        self.age("更新")
        self.assertTrue(browser.get("/api/me").json["device_renew"])
        answer = browser.post("/api/device/renew", {"compatible": True})
        self.assertEqual(answer.status, 200, answer)
        path, new = self.gateway.dir / "renewed.p12", Device(self.gateway)
        path.write_bytes(base64.b64decode(answer.json["file"]))
        for out, what in ((new.certificate, "-clcerts"), (new.key, "-nocerts")):
            harness.run("openssl", "pkcs12", "-legacy", "-in", path, "-passin", f"pass:{answer.json['password']}", what, "-noenc", "-out", out)
        self.assertEqual(browser.get("/api/me").status, 200, "the old one until the new one is seen")
        renewed = new.browser()
        renewed.cookie = browser.cookie
        me = renewed.get("/api/me")
        self.assertEqual((me.status, me.json["device_renew"]), (200, False), me)
        self.assertEqual(browser.get("/api/me").status, 401)
        self.assertTrue(self.audit("device-key-superseded"))
        harness.until("the old one to be kept out in the handshake", lambda: not self.lets_in(device), 5)

    def lets_in(self, device):
        try:
            return device.browser().get("/api/office").status == 200
        except (ssl.SSLError, ConnectionError):
            return False

    # -- revocation ---------------------------------------------------------------------------------------------------

    def test_revoked_within_a_second(self):
        pc = self.start(desktops.BareVnc(self.gateway.dir / "pc"))
        host = self.host_for(pc, "pc", security="none")
        kida = self.colleague("kida")
        self.gateway.cli("host", "grant", "--name", "pc", "--user", "kida")
        device = self.enrolled("紛失", "kida")
        browser = device.browser()
        self.logs_in(browser, kida)
        session = self.open(host, browser)
        viewer = self.view(session, browser).until_picture(30)
        number = next(row["id"] for row in self.gateway.rows("device", "list") if row["name"] == "紛失")
        ended = []

        def watch():
            try:
                while True:
                    viewer.step(5)
            except client.Closed:
                ended.append(time.monotonic())

        watcher = threading.Thread(target=watch)
        watcher.start()
        begin = time.monotonic()
        self.gateway.cli("device", "revoke", "--id", number, "--lost", "--reason", "電車で紛失")
        done = time.monotonic()
        answer = browser.get("/api/me") if browser.connection else None
        watcher.join(10 * harness.PATIENCE)
        self.assertTrue(ended, "the desktop goes on")
        self.assertLess(ended[0] - done, 1 * harness.PATIENCE)
        if answer is not None:
            self.assertEqual(answer.status, 401, answer)
        harness.until("the certificate to be refused in the handshake", lambda: not self.lets_in(device), 5)
        self.assertLess(time.monotonic() - begin, 8 * harness.PATIENCE)
        harness.until("the session to end", lambda: any("revoked-device" in row["detail"] for row in self.audit("session-end")), 5)
        # It says so on the CRL, with the reason.
        crl = self.gateway.dir / "crl.der"
        crl.write_bytes(Device(self.gateway).stranger().get("/crl.der").body)
        text = harness.run("openssl", "crl", "-inform", "DER", "-in", crl, "-noout", "-text").decode()
        self.assertIn("Key Compromise", text)


class FullDisk(Case):
    """The broker's folder on a file system of its own, small enough to fill."""

    @classmethod
    def setUpClass(cls):
        if INSIDE not in os.environ:
            harness.skip("needs root and a file system of its own")
        state = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-state-"))
        cls.addClassCleanup(shutil.rmtree, state, ignore_errors=True)
        state.chmod(0o755)
        (state / "broker").mkdir()
        harness.run("mount", "-t", "tmpfs", "-o", "size=2m,mode=700,uid=sekisho-broker,gid=sekisho-broker", "own", state / "broker")
        cls.addClassCleanup(harness.run, "umount", state / "broker")
        cls.settings = {"gateway_state_dir": state}
        super().setUpClass()
        cls.database = state / "broker" / "sekisho.db"

    def test_a_full_disk_uses_no_code_up(self):
        device, code = Device(self.gateway), self.invite()
        filler = self.database.parent / "filler"
        file = os.open(filler, os.O_WRONLY | os.O_CREAT)
        try:
            while os.write(file, bytes(4096)):
                pass
        except OSError:
            pass
        finally:
            os.close(file)
        answer = device.ask(code)
        self.refused(answer, 507, "full")
        filler.unlink()
        self.assertIn(device.look(code).json["state"], ("open", "approved"))
        answer = device.ask(code)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(device.take(answer).browser().get("/api/office").status, 200)


if __name__ == "__main__":
    if harness.ROOT and INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
    harness.main()
