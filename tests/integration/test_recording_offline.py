#!/usr/bin/env python3
"""Recordings in the auditor's own hands: another reader, `sekisho recording verify` and `decrypt`, tampering, a crash."""

import json
import os
import signal
import subprocess

import desktops
import harness
import recordings
import sessions
import stream

DONE, REFUSED, AMBER, RED = 0, 1, 4, 5


class Offline(sessions.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.BareVnc(cls.gateway.dir / "pc"))
        cls.number = cls.host_for(cls.pc, "pc", security="none")
        cls.certificate, cls.key = cls.gateway.auditor

    def sekisho(self, command, *arguments):
        """A command that needs no gateway: its exit code and answer."""
        done = subprocess.run([harness.BUILD / "bin" / "sekisho", "recording", command, "--json", *map(str, arguments)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, json.loads(done.stdout)

    def record(self):
        """A session in which something was seen and typed; its file is found by its id."""
        session = self.open(self.number)
        viewer = self.view(session).until_picture()
        viewer.move(40, 50)
        viewer.until_equal(self.pc.x)
        return session, self.gateway.dir / "state" / "recordings" / f"{session}.skr"

    def export(self, name):
        folder = self.gateway.dir / name
        self.gateway.cli("audit", "export", "--all", "--out", folder)
        return folder / "entries.jsonl"

    def ended(self):
        session, path = self.record()
        self.browser.delete(f"/api/sessions/{session}")
        self.until_ended(session, "logout")
        harness.until("the recording's end", lambda: self.marks(session)[-1:] == [True])
        return session, path

    def marks(self, session):
        """Of each mark in the audit log, whether it is the last."""
        rows = self.gateway.rows("audit", "list", "--last", "200")
        return [json.loads(row["detail"])["last"] for row in reversed(rows)
                if row["event"] == "recording-mark" and row["session"] == session]

    def test_what_was_seen_is_what_was_recorded(self):
        session, path = self.ended()
        chunks, ders = recordings.read(path, self.key)
        meta = json.loads(chunks[0].records[0].payload)
        self.assertEqual((meta["session"], meta["account"], meta["host_name"]), (session, "sato", "pc"))
        self.assertEqual([bool(chunk.flags & recordings.CHUNK_LAST) for chunk in chunks],
                         [False] * (len(chunks) - 1) + [True])
        screen = stream.Screen()
        for _, payload in recordings.payloads(chunks, recordings.SENT):
            name, values = stream.decode(payload)
            if name == "frame":
                screen.apply(values)
        self.assertTrue(screen.picture() == self.pc.x.picture(), "the recording shows another picture")
        # The same by the program, against the log.
        log = self.export("log")
        code, answer = self.sekisho("verify", "--file", path, "--marks", log)
        self.assertEqual((code, answer["verdict"], answer["proven"]), (DONE, "intact", len(chunks)))
        self.assertEqual(answer["hash"], recordings.running_hash(ders).hex())
        self.assertEqual([place["size"] for place in answer["places"]], [len(der) for der in ders])
        code, answer = self.sekisho("decrypt", "--file", path, "--marks", log, "--key", self.key, "--cert",
                                    self.certificate, "--out", self.gateway.dir / "inside")
        self.assertEqual((code, answer["opened"]), (DONE, len(chunks)))
        lines = [json.loads(line) for line in (self.gateway.dir / "inside" / "records.jsonl").read_text().splitlines()]
        self.assertEqual(len(lines), sum(len(chunk.records) for chunk in chunks))
        self.assertEqual(lines[0]["content"], meta)
        self.assertIn(("pointer", 40, 50), [(line.get("message"), line["content"].get("x"), line["content"].get("y"))
                                            for line in lines if line["kind"] == "input"])
        self.tamper(path, ders, log)

    def tamper(self, path, ders, log):
        """Each change is found by the log alone, and its place with the key."""
        whole = path.read_bytes()
        middle = len(ders) // 2
        place = sum(map(len, ders[:middle]))
        changed = bytearray(whole)
        changed[place + len(ders[middle]) - 1] ^= 1
        false = {"changed": (bytes(changed), middle), "dropped": (whole[:place] + whole[place + len(ders[middle]):], middle),
                 "cut": (whole[:-1], len(ders) - 1), "added": (whole + ders[0], len(ders))}
        for name, (data, bad) in false.items():
            with self.subTest(name):
                copy = self.gateway.dir / f"{path.stem}.{name}"
                copy.write_bytes(data)
                code, answer = self.sekisho("verify", "--file", copy, "--marks", log)
                self.assertEqual((code, answer["verdict"]), (RED, "tampered"))
                self.assertTrue(answer["first_bad"] <= bad <= answer["last_bad"], answer)
                code, answer = self.sekisho("verify", "--file", copy, "--marks", log, "--key", self.key)
                self.assertEqual((code, answer["first_bad"]), (RED, bad), answer)

    def test_a_crash_is_told_from_tampering(self):
        session, path = self.record()
        worker = self.gateway.pids("worker")
        harness.until("a chunk", lambda: path.stat().st_size > 0)
        for pid in worker:
            os.kill(pid, signal.SIGKILL)
        harness.until("the end", lambda: self.shown(session)["state"] == "ended")
        code, answer = self.sekisho("verify", "--file", path, "--key", self.key)
        self.assertEqual((code, answer["verdict"]), (AMBER, "cut"))
        self.assertGreater(answer["opened"], 0)
        self.assertEqual(answer["opened"], len(recordings.read(path, self.key)[0]) if "whole" not in answer
                         else answer["chunks"])

    def test_only_the_auditor_opens_it(self):
        _, path = self.ended()
        other = self.gateway.dir / "other.key"
        harness.run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other)
        code, answer = self.sekisho("decrypt", "--file", path, "--key", other, "--out", self.gateway.dir / "nothing")
        self.assertEqual((code, answer["error"]), (REFUSED, "denied"))
        with self.assertRaises(recordings.Wrong):
            recordings.read(path, other)


if __name__ == "__main__":
    harness.main()
