#!/usr/bin/env python3
"""Recordings of whole sessions: what is in them, what is said about them, and what becomes of them when something fails."""

import json
import os
import pathlib
import signal
import struct
import subprocess
import time

import client
import desktops
import harness
import sessions

HEAD = struct.Struct("<8s16sQQQ32sI")
RECORD = struct.Struct("<BBHII")
META, SENT, KEY, INPUT, EVENT, INDEX = range(1, 7)


def der_length(data, at):
    """Of the whole element that begins there; None when it does not lie in data."""
    if at + 6 > len(data):
        return None
    first = data[at + 1]
    count = first & 0x7F if first & 0x80 else 0
    length = int.from_bytes(data[at + 2:at + 2 + count], "big") if count else first
    whole = 2 + count + length
    return whole if at + whole <= len(data) else None


class Recording:
    """The chunks of a file, opened one by one with the office's own tool, openssl."""

    def __init__(self, gateway, session):
        certificate, self.key = gateway.auditor
        self.certificate = certificate
        self.path = gateway.dir / "state" / "recordings" / f"{session}.skr"
        data, at, self.ders = self.path.read_bytes(), 0, []
        while (length := der_length(data, at)):
            self.ders.append(data[at:at + length])
            at += length
        self.rest = data[at:]

    def chunk(self, number):
        plain = harness.run("openssl", "cms", "-decrypt", "-inform", "DER", "-inkey", self.key, "-recip", self.certificate,
                            "-binary", input=self.ders[number])
        magic, session, sequence, time_ms, start_us, previous, flags = HEAD.unpack_from(plain)
        assert magic == b"SKREC001" and sequence == number, (magic, sequence)
        records, at = [], HEAD.size
        while at < len(plain):
            kind, viewer, more, delta_us, length = RECORD.unpack_from(plain, at)
            at += RECORD.size
            records.append((kind, viewer, more, plain[at:at + length]))
            at += length
        return time_ms, flags, records

    def all(self):
        return [record for number in range(len(self.ders)) for record in self.chunk(number)[2]]

    def events(self):
        return [json.loads(data)["event"] for kind, _, _, data in self.all() if kind == EVENT]


class Recordings(sessions.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.BareVnc(cls.gateway.dir / "bare"))
        cls.number = cls.host_for(cls.pc, "bare", security="none")

    def row(self, session):
        return next(row for row in self.gateway.rows("recording", "list") if row["session"] == session)

    def until_recorded(self, session, state):
        harness.until(lambda: f"the recording to be {state}: {self.row(session)}",
                      lambda: self.row(session)["recording"] == state)
        return self.row(session)

    def entries(self, event, session):
        return [json.loads(entry["detail"]) if isinstance(entry["detail"], str) else entry["detail"]
                for entry in self.gateway.rows("audit", "list", "--last", "200")
                if entry["event"] == event and entry["session"] == session]

    def test_a_session_is_in_its_recording(self):
        session = self.open(self.number)
        viewer = self.view(session).until_picture(30)
        viewer.send("pointer", x=321, y=234, buttons=0, wheel_x=0, wheel_y=0)
        harness.until("the pointer", lambda: self.pc.x.run("xdotool", "getmouselocation").startswith(b"x:321 y:234"))
        viewer.close()
        self.close(session, self.browser)
        row = self.until_recorded(session, "ended")
        recording = Recording(self.gateway, session)
        self.assertEqual(recording.rest, b"")
        self.assertEqual(len(recording.ders), row["chunks"])
        self.assertEqual(recording.path.stat().st_size, row["size"])
        self.assertEqual(recording.path.stat().st_mode & 0o777, 0o600)
        meta = json.loads(recording.chunk(0)[2][0][3])
        self.assertEqual((meta["session"], meta["account"], meta["host_name"], meta["keys"]),
                         (session, "sato", "bare", False))
        self.assertTrue(any(recording.chunk(number)[1] & 1 for number in range(len(recording.ders))))
        self.assertEqual(recording.chunk(len(recording.ders) - 1)[1] & 2, 2)
        kinds = {kind for kind, _, _, _ in recording.all()}
        self.assertLessEqual({META, SENT, INPUT, EVENT, INDEX}, kinds)
        events = recording.events()
        self.assertEqual((events[-1], "viewer-joined" in events), ("ended", True))
        self.assertEqual(self.entries("recording-mark", session)[0]["last"], True)
        self.assertEqual(self.entries("recording-end", session)[0]["state"], "ended")
        self.assertEqual(len(self.entries("recording-start", session)), 1)

    def test_it_is_on_the_disk_within_two_seconds(self):
        """Of a worker that is killed all is there but the last two seconds."""
        session = self.open(self.number)
        viewer = self.view(session).until_picture(30)
        seconds = 2 * harness.PATIENCE
        viewer.send("pointer", x=77, y=78, buttons=0, wheel_x=0, wheel_y=0)
        acted_ms = time.time() * 1000
        time.sleep(seconds)
        os.kill(self.gateway.pid("worker"), signal.SIGKILL)
        self.until_ended(session, "crashed")
        self.until_recorded(session, "cut")
        recording = Recording(self.gateway, session)
        pointers = [data for kind, _, _, data in recording.all() if kind == INPUT]
        self.assertTrue(any(struct.unpack_from("<HH", data, 2) == (77, 78) for data in pointers), pointers)
        self.assertLess(recording.chunk(len(recording.ders) - 1)[0], acted_ms + seconds * 1000)
        self.assertEqual(self.entries("recording-end", session)[0]["state"], "cut")

    def test_a_broker_that_dies_leaves_the_recording_going(self):
        session = self.open(self.number)
        viewer = self.view(session).until_picture(30)
        broker = self.gateway.pid("broker")
        os.kill(broker, signal.SIGKILL)
        harness.until("another broker", lambda: self.gateway.pids("broker") not in ([], [broker]))
        harness.until("the gateway", self.gateway.is_up, 30)
        type(self).browser = self.sato.login()
        viewer.move(120, 120)
        viewer.close()
        harness.until("the session", lambda: self.shown(session)["state"] == "detached", 30)
        self.close(session, self.browser)
        row = self.until_recorded(session, "ended")
        self.assertEqual(len(Recording(self.gateway, session).ders), row["chunks"])

    def test_a_gateway_that_stops_ends_its_recordings(self):
        session = self.open(self.number)
        self.view(session).until_picture(30)
        self.assertTrue(self.gateway.stop())
        self.gateway.start()
        type(self).browser = self.sato.login()
        self.assertEqual(self.row(session)["recording"], "ended")

    def test_nobody_to_seal_to(self):
        """After the last auditor is revoked, sessions are refused until there is another."""
        for row in self.gateway.rows("auditor", "list"):
            if row["state"] == "active":
                self.gateway.cli("auditor", "revoke", "--id", row["id"])
        answer = self.browser.open_session(self.number)
        self.assertEqual((answer.status, answer.json["error"]), (503, "recording"))
        status = {part["part"]: part["state"] for part in self.gateway.rows("status")}
        self.assertEqual(status["recording"], "no-auditor")
        self.gateway.add_auditor("second")
        self.desktop(self.number)



class FullDisk(sessions.Case):
    """A small file system of its own for the recordings."""

    @classmethod
    def setUpClass(cls):
        harness.need_root()
        cls.folder = pathlib.Path("/tmp") / f"sekisho-full-{os.getpid()}"
        cls.folder.mkdir()
        cls.addClassCleanup(cls.folder.rmdir)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0755", "tmpfs", cls.folder], capture_output=True)
        if done.returncode:
            harness.skip("needs mount: " + done.stderr.decode())
        cls.addClassCleanup(subprocess.run, ["umount", cls.folder], check=True)
        cls.settings = {"recording_dir": cls.folder / "recordings", "recording_free_megabytes": 12}
        super().setUpClass()
        cls.pc = cls.start(desktops.BareVnc(cls.gateway.dir / "bare"))
        cls.number = cls.host_for(cls.pc, "bare", security="none")

    def fill(self):
        """Leaves nothing free."""
        filler = self.folder / "filler"
        self.addCleanup(filler.unlink, missing_ok=True)
        with open(filler, "wb") as file:
            while True:
                try:
                    file.write(bytes(65536))
                    file.flush()
                except OSError:
                    break
        # What the failed write still holds is lost on close.

    def test_the_session_ends_and_is_readable(self):
        session = self.open(self.number)
        viewer = self.view(session).until_picture(30)
        self.fill()
        # Of what was reserved before most is left, so that the end has room; the next chunk wants more all the same.
        terminal = self.pc.x.start("xterm", "-geometry", "150x45+0+0", "-e", "bash", "--norc", "-c",
                                   "while head -c 200000 /dev/urandom | base64 -w 150; do :; done")
        self.addCleanup(terminal.stop)
        harness.until("the session to end", lambda: (viewer.step(0.2), self.shown(session)["state"] == "ended")[1], 60)
        self.assertEqual(self.shown(session)["reason"], "recording")
        harness.until("the worker's end", lambda: not self.gateway.pids("worker"))
        row = next(row for row in self.gateway.rows("recording", "list") if row["session"] == session)
        self.assertEqual(row["recording"], "ended")
        self.assertGreater(row["chunks"], 2)
        answer = self.browser.open_session(self.number)
        self.assertEqual((answer.status, answer.json["error"]), (503, "recording"))

    def test_read_only(self):
        subprocess.run(["mount", "-o", "remount,ro", self.folder], check=True)
        try:
            answer = self.browser.open_session(self.number)
            self.assertEqual((answer.status, answer.json["error"]), (503, "recording"))
        finally:
            subprocess.run(["mount", "-o", "remount,rw", self.folder], check=True)


if __name__ == "__main__":
    harness.main()
