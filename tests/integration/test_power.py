#!/usr/bin/env python3
"""Power that fails while two desktops are shown and orders are given. Everything that the processes write, and wait for, is
put down in its order; from that the disk is made as it may be at any moment: what was waited for is there, of the rest
whatever the disk liked. A gateway is started from one of these."""

import bisect
import os
import shutil
import signal
import sqlite3
import time

import faults
import harness


class Moments:
    """When so much was put down."""

    def __init__(self, seam):
        self.seam, self.known = seam, []

    def sample(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            # The time first: what is put down by then may be more.
            self.known.append((time.monotonic(), self.seam.end()))
            time.sleep(0.02)

    def before(self, end):
        """A time at which not more than this was put down."""
        at = bisect.bisect_right([known[1] for known in self.known], end) - 1
        return self.known[max(at, 0)][0]


class Disk:
    """All files that matter, as the notes up to a moment make them."""

    def __init__(self, case, notes):
        self.case, self.notes, self.at, self.end = case, notes, 0, 0
        self.names = {("broker", self.inode(case.state / "broker" / name)): f"broker/{name}"
                      for name in ("sekisho.db", "sekisho.db-wal")}
        for path in (case.state / "recordings").iterdir():
            self.names["worker", self.inode(path)] = f"recordings/{path.name}"
        self.files = {name: faults.File() for name in self.names.values()}
        self.written, self.checkpoint = {}, None

    @staticmethod
    def inode(path):
        return path.stat().st_ino

    def go_to(self, end):
        while self.at < len(self.notes) and self.notes[self.at].end <= end:
            self.take(self.notes[self.at])
            self.at += 1

    def take(self, note):
        self.end = note.end
        name = self.names.get((note.role, note.inode))
        if name:
            self.files[name].take(note)
        elif note.role == "signer":
            self.take_checkpoint(note)

    def take_checkpoint(self, note):
        """What the signer has signed is known to others from when it is under its name."""
        if note.op == faults.WRITE:
            self.written[note.inode] = note.data
        elif note.op == faults.RENAME and note.data.endswith(b"/audit/checkpoint"):
            self.checkpoint = self.written[note.inode]

    def write(self, folder, dice):
        shutil.rmtree(folder, ignore_errors=True)
        for name, file in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(file.after_power_loss(dice))


class Power(faults.Case):
    @classmethod
    def setUpClass(cls):
        cls.seam = faults.Seam()
        cls.addClassCleanup(cls.seam.stop)
        cls.seam.trace()
        super().setUpClass()

    def record(self, seconds):
        """Two desktops and many orders; one recording ends in between."""
        orders = faults.Orders(self.gateway)
        orders.note = self.seam.end
        moments = Moments(self.seam)
        watchers = [self.watch(0), self.watch(1)]
        moments.sample(seconds / 2)
        third = self.watch(2)
        moments.sample(seconds / 4)
        self.close(third.session, self.browser)
        moments.sample(seconds / 4)
        orders.stop()
        return orders, moments, [*watchers, third]

    def freeze(self, target):
        """The state directory as it is at one moment."""
        processes = [pid for pid, _ in harness.children_of(self.gateway.process.pid)]
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        try:
            shutil.copytree(self.state, target)
            return self.seam.end()
        finally:
            for pid in processes:
                os.kill(pid, signal.SIGCONT)

    def check_disk(self, disk, folder, orders, moments, watchers, thorough):
        """What stands in docs/recording.md, of one disk."""
        log = folder / "broker" / "sekisho.db"
        answered = [(end, days) for end, days in orders.answered if end <= disk.end]
        if thorough:
            (folder / "checkpoint").write_bytes(disk.checkpoint)
            code, answer = faults.verify_log(log, self.vkey, "--checkpoint", folder / "checkpoint")
            self.assertIn(answer["finding"], ("sound", "unanchored"), answer)
        with sqlite3.connect(log) as db:
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            known = {row[0].hex() for row in db.execute("SELECT session FROM recording")}
        db.close()
        self.check_orders(answered, log)
        for watcher in watchers:
            path = self.file_of(watcher.session, folder)
            if watcher.session not in known or not path.exists():
                continue
            seen = watcher.before(moments.before(disk.end) - faults.DURABLE_S * harness.PATIENCE)
            missing = set(seen) - faults.frames_in(path, self.key)
            self.assertFalse(missing, f"{len(missing)} of {len(seen)} frames are not in the recording")
            if thorough:
                code, answer = faults.verify_recording(path, log, folder, self.key, self.certificate)
                self.assertIn(answer["verdict"], ("intact", "cut", "unproven"), answer)

    def test_at_any_moment(self):
        dice = faults.dice("power")
        begin = self.seam.end()
        orders, moments, watchers = self.record(8)
        frozen = self.gateway.dir / "frozen"
        end = self.freeze(frozen)
        disk = Disk(self, list(self.seam.notes(end)))
        folder = self.gateway.dir / "lost"
        count = faults.rounds(40)
        for number, moment in enumerate(sorted(dice.randrange(begin, end) for _ in range(count))):
            disk.go_to(moment)
            disk.write(folder, dice)
            with self.subTest(moment=moment):
                self.check_disk(disk, folder, orders, moments, watchers, number % 6 == 0)
        disk.go_to(end)
        disk.write(folder, dice)
        with self.subTest("a gateway starts from it"):
            self.start_from(folder, frozen, orders, watchers)

    def start_from(self, folder, frozen, orders, watchers):
        os.kill(self.gateway.process.pid, signal.SIGKILL)
        self.gateway.process.child.wait(20)
        answered = list(orders.answered)
        for name in ("broker/sekisho.db", "broker/sekisho.db-wal", *(f"recordings/{w.session}.skr" for w in watchers)):
            owner = (self.state / name).stat()
            (frozen / name).write_bytes((folder / name).read_bytes())
            os.chown(frozen / name, owner.st_uid, owner.st_gid)
        for path in sorted(self.state.rglob("*")):
            os.chown(frozen / path.relative_to(self.state), path.stat().st_uid, path.stat().st_gid)
        shutil.rmtree(self.state)
        frozen.rename(self.state)
        self.gateway.start()
        self.check_orders(answered)
        self.check_log()
        self.assertEqual(self.gateway.rows("audit", "alarms"), [])
        for watcher, state in zip(watchers, ("cut", "cut", "ended")):
            self.assertEqual(self.until_over(watcher.session)["recording"], state)
            self.check_recording(watcher.session)
        type(self).browser = self.sato.login()
        self.watch(0)


if __name__ == "__main__":
    harness.main()
