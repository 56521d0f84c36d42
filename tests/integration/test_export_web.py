#!/usr/bin/env python3
"""A recording of a real session, exported as a video through the whole gateway, and opened by its recipient."""

import hashlib
import json
import os
import signal
import struct
import subprocess
import time

import auditing
import client
import desktops
import harness

DATA, STATE, END = 0x0d41, 0x0d42, 0x0d43
# enum export_error
NONE, RIGHT, LOGIN, VAULT, CRASHED = 0, 16, 17, 20, 21


class Export:
    """The browser's side of an export's stream."""

    def __init__(self, browser, recording):
        self.socket = browser.websocket(f"/api/recordings/{recording}/export/stream")
        self.content, self.states = bytearray(), []

    def step(self):
        """The next message's id; of the last one (error, bytes, SHA-256) is in self.end."""
        _, message = self.socket.receive(60)
        kind, = struct.unpack_from("<H", message)
        if kind == DATA:
            offset, length = struct.unpack_from("<QI", message, 2)
            assert offset == len(self.content) and len(message) == 14 + length
            self.content += message[14:]
        elif kind == STATE:
            self.states.append(struct.unpack_from("<IQ", message, 2))
        else:
            assert kind == END, kind
            self.end = (message[2], struct.unpack_from("<Q", message, 3)[0], message[11:43])
        return kind

    def until_data(self):
        while self.step() != DATA:
            pass
        return self

    def until_end(self):
        """Why it ended; nothing follows but the close."""
        while self.step() != END:
            pass
        try:
            while True:
                self.socket.receive(20)
                raise AssertionError("a message after the end")
        except client.Closed as closed:
            assert closed.code == 4000, closed.code
        return self.end[0]


class Case(auditing.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.BareVnc(cls.gateway.dir / "bare"))
        cls.number = cls.host_for(cls.pc, "経理PC", security="none")

    def certificate(self, name, *key, days="30", more=()):
        """Files of a certificate and its key, by OpenSSL's own hand."""
        pem, key_file = self.gateway.dir / f"{name}.pem", self.gateway.dir / f"{name}.key"
        harness.run("openssl", "req", "-x509", "-nodes", "-keyout", key_file, "-out", pem, "-subj", f"/CN={name}", "-days", days,
                    "-newkey", *(key or ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")),
                    "-addext", "basicConstraints=critical,CA:FALSE", *more)
        return pem, key_file

    def order(self, recording, recipient, browser=None, person=None, **body):
        body = {"purpose": "A社への提出", "code": None, "recipient": recipient, "language": "ja", **body}
        if body["code"] is None:
            body["code"] = self.fresh_code(person or self.kansa)
        return (browser or self.auditor).post(f"/api/recordings/{recording}/export", body)

    def export(self, recording, recipient, browser=None, **more):
        answer = self.order(recording, recipient, browser=browser, **more)
        self.assertEqual((answer.status, answer.json), (200, {"stream": f"/api/recordings/{recording}/export/stream"}), answer)
        export = Export(browser or self.auditor, recording)
        self.addCleanup(export.socket.drop)
        return export

    def decrypt(self, content, pem, key):
        encrypted, video = self.gateway.dir / "video.mp4.cms", self.gateway.dir / "video.mp4"
        encrypted.write_bytes(content)
        harness.run("openssl", "cms", "-decrypt", "-inform", "DER", "-binary", "-in", encrypted, "-recip", pem, "-inkey", key,
                    "-out", video)
        return video

    @staticmethod
    def probe(video):
        told = subprocess.run(["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", video],
                              check=True, capture_output=True).stdout
        return json.loads(told)

    def ended(self, event, recording):
        entry = harness.until(event, lambda: self.log_of(event, recording), 20)[-1]
        return json.loads(entry["detail"])

    def nothing_runs(self):
        harness.until("the exporter to be gone", lambda: not self.gateway.pids("export"), 10)


class Exporting(Case):
    def test_from_desktop_to_video(self):
        """Whoever has the recipient's key sees what was on the desktop; the log knows the file."""
        pem, key = self.certificate("court")
        recording = self.record(self.number)
        export = self.export(recording, pem.read_text())
        ordered = json.loads(self.log_of("recording-export", recording)[-1]["detail"])
        fingerprint = harness.run("openssl", "x509", "-in", pem, "-noout", "-fingerprint", "-sha256").decode()
        fingerprint = fingerprint.strip().partition("=")[2].replace(":", "").lower()
        self.assertEqual(ordered, {"purpose": "A社への提出", "recipient": fingerprint, "subject": "CN=court", "auditor": 0,
                                   "from_us": 0, "to_us": 0})
        self.assertEqual(export.until_end(), NONE)
        digest = hashlib.sha256(export.content).digest()
        self.assertEqual(export.end, (NONE, len(export.content), digest))
        self.assertEqual(export.states, sorted(export.states))
        exported = self.ended("recording-exported", recording)
        self.assertEqual((exported["bytes"], exported["sha256"], exported["recipient"], exported["verdict"]),
                         (len(export.content), digest.hex(), fingerprint, "green"))
        video = self.probe(self.decrypt(bytes(export.content), pem, key))
        stream, = video["streams"]
        self.assertEqual((stream["codec_name"], stream["codec_type"]), ("h264", "video"))
        self.assertGreaterEqual(stream["width"], 800)
        self.assertEqual(self.log_of("recording-export-failed", recording), [])
        self.nothing_runs()

    def test_to_a_registered_auditor_a_part(self):
        key, csr, pem = (self.gateway.dir / f"tanaka.{kind}" for kind in ("key", "csr", "pem"))
        harness.run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-subj", "/CN=tanaka", "-out", csr)
        self.gateway.cli("auditor", "certify", "--name", "田中", "--csr", csr, "--out", pem)
        answer = self.auditor.get("/api/auditors")
        auditor = next(one for one in answer.json["auditors"] if one["name"] == "田中")
        self.assertEqual(auditor["kind"], "person")
        recording = self.recorded()
        export = self.export(recording, str(auditor["id"]), **{"from": 0, "to": 1000000}, language="en")
        self.assertEqual(export.until_end(), NONE)
        video = self.probe(self.decrypt(bytes(export.content), pem, key))
        self.assertLess(float(video["format"]["duration"]), 2.5)
        number = str(auditor["id"])
        self.gateway.cli("auditor", "revoke", "--id", number)
        self.refused(self.order(recording, number), 404, "not-found", recording, "recipient")
        self.assertNotIn("田中", [one["name"] for one in self.auditor.get("/api/auditors").json["auditors"]])

    def test_refusals_are_logged(self):
        recording = self.recorded()
        good = self.certificate("good")[0].read_text()
        weak = self.certificate("weak", "rsa:1024")[0].read_text()
        for recipient, status, error in (("", 400, "invalid"), ("no PEM", 400, "invalid"), (good + good, 400, "invalid"),
                                         (weak, 422, "key"), ("4711", 404, "not-found")):
            self.refused(self.order(recording, recipient), status, error, recording, "recipient")
        for body, field in (({"from": 5, "to": 4}, "to"), ({"from": 5, "to": 5}, "to"), ({"purpose": "x" * 257}, "purpose"),
                            ({"purpose": "abc"}, "purpose"), ({"language": "xx"}, "language")):
            self.refused(self.order(recording, good, **body), 400, "invalid", recording, field)
        guessed = "0123456789abcdef" * 2
        self.refused(self.order(guessed, good), 404, "not-found", guessed)
        path = self.file_of(recording)
        moved = path.rename(path.with_suffix(".away"))
        self.refused(self.order(recording, good), 404, "not-found", recording, "file")
        moved.rename(path)
        self.gateway.cli("vault", "seal")
        self.refused(self.order(recording, good), 423, "locked", recording, "vault")
        self.gateway.cli("vault", "unseal", password=auditing.PASSPHRASE)
        for browser in (self.browser, self.gateway.add_user("kanri", role="admin").login()):
            self.refused(self.order(recording, good, browser=browser), 403, "denied", recording)
        used = self.fresh_code(self.kansa)
        export = self.export(recording, good, code=used)
        self.assertEqual(export.until_end(), NONE)
        self.nothing_runs()
        harness.until("the try not to be too early", lambda: (answer := self.order(recording, good, code=used)).status != 429 and answer)
        self.assertIn('"login"', self.log_of("recording-refused", recording)[-1]["detail"])

    def test_a_stream_is_for_its_login_once(self):
        recording = self.recorded()
        good = self.certificate("once")[0].read_text()
        stranger = self.gateway.add_user("kansa2", role="auditor").login()
        self.assertEqual(self.order(recording, good).status, 200)
        for browser in (stranger, self.browser):
            with self.assertRaises(client.Closed) as caught:
                Export(browser, recording).step()
            self.assertEqual(caught.exception.code, 4000 if browser is stranger else 4001)
        mine = Export(self.auditor, recording)
        with self.assertRaises(client.Closed) as caught:
            mine.until_data()
            Export(self.auditor, recording).step()
        self.assertEqual(caught.exception.code, 4000)
        self.assertEqual(mine.until_end(), NONE)


class Ends(Case):
    """An export that is stopped while it goes on: its process is made to wait, so that it cannot be quicker."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared_pem = None

    def waiting(self, browser=None, person=None):
        """One whose process waits from before there is a stream."""
        if not self.shared_pem:
            type(self).shared_pem = self.certificate("waits")[0].read_text()
        answer = self.order(self.recorded(), self.shared_pem, browser=browser, person=person)
        self.assertEqual(answer.status, 200, answer)
        pid = harness.until("the exporter", lambda: self.gateway.pids("export"))[0]
        os.kill(pid, signal.SIGSTOP)
        export = Export(browser or self.auditor, self.recorded())
        self.addCleanup(export.socket.drop)
        harness.until("the stream", lambda: "stream-open" in self.gateway.log().rpartition("exporter-started")[2])
        return export, pid

    def expect_failed(self, export, error, why):
        begun = time.monotonic()
        self.assertEqual(export.until_end(), error)
        self.assertLess(time.monotonic() - begun, 1 * harness.PATIENCE)
        self.nothing_runs()
        harness.until(f"{why} in the log", lambda: json.loads(
            self.log_of("recording-export-failed", self.recorded())[-1]["detail"])["why"] == why)

    def test_with_the_right(self):
        for name, take_away, error, why in (
                ("kansa3", lambda person, browser: self.gateway.cli("user", "disable", "--name", person.name), RIGHT, "revoked"),
                ("kansa4", lambda person, browser: browser.post("/api/logout"), LOGIN, "logout")):
            with self.subTest(name):
                person = self.gateway.add_user(name, role="auditor")
                browser = person.login()
                export, _ = self.waiting(browser, person)
                take_away(person, browser)
                self.expect_failed(export, error, why)

    def test_with_its_process(self):
        export, pid = self.waiting()
        os.kill(pid, signal.SIGKILL)
        self.expect_failed(export, CRASHED, "crashed")

    def test_with_the_vault(self):
        export, _ = self.waiting()
        old = self.gateway.pid("vault")
        os.kill(old, signal.SIGKILL)
        self.expect_failed(export, VAULT, "vault")
        harness.until("another vault", lambda: [pid for pid in self.gateway.pids("vault") if pid != old])
        harness.until("it to open", self.unseal)

    def unseal(self):
        try:
            return self.gateway.cli("vault", "unseal", password=auditing.PASSPHRASE) is not None
        except harness.CliError:
            return False

    def test_with_the_browser(self):
        """Cancelled: the process does not outlive it for long, even when it hangs."""
        export, _ = self.waiting()
        self.refused(self.order(self.recorded(), self.shared_pem), 409, "state", self.recorded(), "export")
        export.socket.drop()
        self.nothing_runs()
        harness.until("it in the log", lambda: json.loads(
            self.log_of("recording-export-failed", self.recorded())[-1]["detail"])["why"] == "cancelled")

    def test_with_the_broker(self):
        export, _ = self.waiting()
        old = self.gateway.pid("broker")
        os.kill(old, signal.SIGKILL)
        with self.assertRaises(client.Closed):
            while True:
                export.step()
        self.nothing_runs()
        harness.until("all parts to run", self.gateway.is_up, 30)


if __name__ == "__main__":
    harness.main()
