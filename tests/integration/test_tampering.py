#!/usr/bin/env python3
"""Whoever can write the gateway's files, and changes them: any byte of recordings, of an export of the log and of its
database, at random; whole recordings; the log's end, and a second one beside it."""

import json
import shutil
import sqlite3
import time

import faults
import harness


def lowered(lines):
    """The entries, of their hashes and salts the digits in lower case."""
    return [{key: value.lower() if key in ("commitment", "salt", "session") else value for key, value in row.items()}
            for row in map(json.loads, lines.splitlines())]


class Tampering(faults.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dice = faults.dice("tampering")
        cls.flips = faults.rounds(40)

    def setUp(self):
        """Two recordings that have ended, a log with a checkpoint that covers their marks, and its export."""
        if not hasattr(type(self), "sessions"):
            watchers = [self.watch(0), self.watch(1)]
            harness.until("some chunks", lambda: all(len(faults.whole_chunks(self.file_of(w.session).read_bytes())) > 3 for w in watchers))
            for watcher in watchers:
                self.close(watcher.session, self.browser)
                self.until_over(watcher.session)
            type(self).sessions = [watcher.session for watcher in watchers]
            faults.ask_for_checkpoint(self.gateway)
            harness.until("a checkpoint", lambda: self.check_log()["anchored"] == self.check_log()["entries"])
            type(self).export = self.gateway.dir / "export"
            self.gateway.cli("audit", "export", "--all", "--out", self.export)
        self.log = self.export / "entries.jsonl"

    def flip(self, data):
        """Another byte somewhere, and where."""
        at, bit = self.dice.randrange(len(data)), self.dice.randrange(8)
        return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:], at

    def verify(self, session, data, *more):
        path = self.gateway.dir / f"{session}.skr"
        path.write_bytes(data)
        return faults.sekisho("recording", "verify", "--file", path, "--marks", self.log, *more)

    def test_any_byte_of_a_recording(self):
        for session in self.sessions:
            whole = self.file_of(session).read_bytes()
            places = self.verify(session, whole)[1]["places"]
            self.assertEqual(self.verify(session, whole)[1]["verdict"], "intact")
            for _ in range(self.flips):
                data, at = self.flip(whole)
                chunk = next(i for i, place in enumerate(places) if at < place["offset"] + place["size"])
                code, answer = self.verify(session, data, "--key", self.key, "--cert", self.certificate)
                self.assertEqual((code, answer["verdict"], answer["first_bad"]), (faults.RED, "tampered", chunk), (at, answer))

    def test_chunks_dropped_swapped_and_cut(self):
        for session in self.sessions:
            ders = faults.whole_chunks(self.file_of(session).read_bytes())
            for _ in range(self.flips // 8):
                first, second = sorted(self.dice.sample(range(len(ders)), 2))
                swapped = [*ders[:first], ders[second], *ders[first + 1:second], ders[first], *ders[second + 1:]]
                for name, changed, bad in (("drop", ders[:first] + ders[first + 1:], first), ("swap", swapped, first),
                                           ("repeat", ders[:second] + ders[first:], second),
                                           ("end", ders[:second], second)):
                    with self.subTest(name, first=first, second=second):
                        code, answer = self.verify(session, b"".join(changed), "--key", self.key)
                        self.assertEqual((code, answer["verdict"]), (faults.RED, "tampered"))
                        self.assertLessEqual(answer["first_bad"], bad)
                        self.assertGreaterEqual(answer["last_bad"], bad)
                part = b"".join(ders[:second]) + ders[second][:self.dice.randrange(1, len(ders[second]))]
                self.assertEqual(self.verify(session, part)[1]["finding"], "missing")

    def test_a_whole_recording(self):
        folder = self.gateway.dir / "all"
        shutil.copytree(self.state / "recordings", folder)
        check = "recording", "check", "--folder", folder, "--marks", self.log
        self.assertEqual(faults.sekisho(*check)[0], faults.GREEN)
        file = folder / f"{self.sessions[0]}.skr"
        file.rename(folder / f"{'0' * 32}.skr")
        code, answer = faults.sekisho(*check)
        found = {row[0]: row[2] for row in answer["rows"]}
        self.assertEqual((code, found[self.sessions[0]], found["0" * 32], found[self.sessions[1]]),
                         (faults.RED, "gone", "unknown", "none"))
        (folder / f"{'0' * 32}.skr").unlink()
        shutil.copy(folder / f"{self.sessions[1]}.skr", file)
        found = {row[0]: row[2] for row in faults.sekisho(*check)[1]["rows"]}
        self.assertIn(found[self.sessions[0]], ("changed", "missing"))

    def test_any_byte_of_an_export(self):
        """But of the key beside it, which has to come from elsewhere."""
        folder = self.gateway.dir / "changed"
        names = [path.relative_to(self.export) for path in self.export.rglob("*") if path.is_file()]
        for _ in range(2 * self.flips):
            name = self.dice.choice([name for name in names if str(name) != "verifier-key"])
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(self.export, folder)
            data, at = self.flip((folder / name).read_bytes())
            (folder / name).write_bytes(data)
            code, answer = faults.verify_log(folder, self.vkey)
            with self.subTest(name=str(name), at=at):
                self.assertTrue(code not in (faults.GREEN, faults.AMBER) or self.says_the_same(name, data), answer)

    def says_the_same(self, name, data):
        """When a checkpoint was kept nobody vouches for; and hexadecimal digits have two forms."""
        whole = (self.export / name).read_bytes()
        if str(name) == "checkpoints.jsonl":
            return [(r["size"], r["note"]) for r in map(json.loads, data.splitlines())] == \
                   [(r["size"], r["note"]) for r in map(json.loads, whole.splitlines())]
        if str(name) == "entries.jsonl":
            return lowered(data) == lowered(whole)
        return False

    def test_any_byte_of_the_database(self):
        """It has pages that say nothing of the log. Where the verifier finds nothing, every entry is as it was."""
        whole = self.backup()
        entries, found = self.entries(whole), 0
        path = self.gateway.dir / "flipped.db"
        for _ in range(2 * self.flips):
            data, at = self.flip(whole.read_bytes())
            path.write_bytes(data)
            code, answer = faults.verify_log(path, self.vkey)
            with self.subTest(at=at):
                if code in (faults.GREEN, faults.AMBER):
                    self.assertEqual(self.entries(path), entries, answer)
                found += code == faults.RED
        self.assertGreater(found, 0)

    def backup(self):
        path = self.gateway.dir / "whole.db"
        with sqlite3.connect(self.log_path) as source, sqlite3.connect(path) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
        source.close()
        target.close()
        return path

    def entries(self, path):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            found = db.execute("SELECT * FROM audit ORDER BY seq").fetchall()
        db.close()
        return found

    def change(self, path, *statements):
        with sqlite3.connect(path) as db:
            for name, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
                db.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                db.execute(statement)
        db.close()

    def test_the_logs_end_and_another_log(self):
        path = self.backup()
        count = len(self.entries(path))
        kept = self.export / "checkpoint"
        with self.subTest("the end dropped, and all that shows it in the database"):
            last = count - self.dice.randrange(1, 6)
            self.change(path, f"DELETE FROM audit WHERE seq > {last}", f"DELETE FROM audit_checkpoint WHERE size > {last}",
                        f"DELETE FROM audit_node WHERE (idx + 1) << level > {last}")
            self.assertEqual(faults.verify_log(path, self.vkey)[1]["verdict"], "green")
            code, answer = faults.verify_log(path, self.vkey, "--checkpoint", kept)
            self.assertEqual((code, answer["finding"]), (faults.AMBER, "tail-cut"))
        with self.subTest("and written on otherwise"):
            # The same gateway's key signs it: whoever has signer and database, but not what was kept elsewhere.
            self.assertTrue(self.gateway.stop())
            shutil.copytree(self.state, self.gateway.dir / "before")
            (self.state / "broker" / "sekisho.db").write_bytes(path.read_bytes())
            for name in ("sekisho.db-wal", "sekisho.db-shm"):
                (self.state / "broker" / name).unlink(missing_ok=True)
            notes = sorted(self.notes(path))
            (self.state / "signer" / "audit" / "checkpoint").write_text(notes[-1][1])
            self.gateway.start()
            while len(self.entries(self.log_path)) < count + 2:
                self.gateway.cli("retention", "set", "--class", "fork", "--days", 1 + int(time.monotonic()) % 30000)
            faults.ask_for_checkpoint(self.gateway)
            harness.until("a checkpoint", lambda: self.check_log()["anchored"] > count)
            code, answer = faults.verify_log(faults.copy_log(self.state, self.gateway.dir / "fork"), self.vkey, "--checkpoint", kept)
            self.assertEqual(code, faults.RED)
            self.assertIn(answer["finding"], ("fork", "history-rewritten"))

    def notes(self, path):
        with sqlite3.connect(path) as db:
            return db.execute("SELECT size, note FROM audit_checkpoint").fetchall()


if __name__ == "__main__":
    harness.main()
