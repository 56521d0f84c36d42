#!/usr/bin/env python3
"""Disks that fail while a desktop is shown and orders are given: errors come from below the processes (preload_faults.c)."""

import errno
import time

import faults
import harness


class Disks(faults.Case):
    @classmethod
    def setUpClass(cls):
        cls.seam = faults.Seam()
        cls.addClassCleanup(cls.seam.stop)
        super().setUpClass()

    def broken(self, role, op, error):
        self.seam.fail(role, op, error)
        self.addCleanup(self.seam.fail, role, op, 0)

    def test_below_a_recording(self):
        """The session ends and says why; what was recorded is whole, and the next session begins as if nothing had been."""
        for op, error, state in ((faults.WRITE, errno.EIO, "cut"), (faults.SYNC, errno.EIO, "cut"),
                                 (faults.WRITE, errno.EROFS, "cut"), (faults.WRITE, errno.ENOSPC, "cut")):
            with self.subTest(op=op, error=errno.errorcode[error]):
                watcher = self.watch(0)
                harness.until("a chunk", lambda: self.file_of(watcher.session).stat().st_size)
                time.sleep(1)
                moment = time.monotonic()
                self.broken("worker", op, error)
                self.until_ended(watcher.session, "recording")
                self.seam.fail("worker", op, 0)
                self.assertEqual(self.until_over(watcher.session)["recording"], state)
                answer = self.check_recording(watcher.session, watcher.before(moment - faults.DURABLE_S * harness.PATIENCE))
                self.assertNotIn("whole", answer, "half a chunk stays")
                self.assertGreater(answer["proven"], 0, "nothing of it is in the log")

    def test_a_recording_that_cannot_begin(self):
        self.broken("worker", faults.FALLOCATE, errno.ENOSPC)
        session = self.open(self.numbers[1])
        self.until_ended(session, "recording")

    def test_below_the_log(self):
        """Nothing is done that cannot be entered, and nothing that was answered is missing."""
        watcher, orders = self.watch(2), faults.Orders(self.gateway)
        self.addCleanup(orders.stop)
        for op, error in ((faults.SYNC, errno.EIO), (faults.WRITE, errno.EIO), (faults.WRITE, errno.ENOSPC), (faults.WRITE, errno.EROFS)):
            with self.subTest(op=op, error=errno.errorcode[error]):
                count = len(orders.answered)
                harness.until("orders", lambda: len(orders.answered) > count + 2)
                self.broken("broker", op, error)
                answer = self.browser.open_session(self.numbers[1])
                self.assertGreaterEqual(answer.status, 500, answer)
                with self.assertRaises(harness.CliError):
                    self.gateway.cli("host", "add", "--name", f"never-{op}-{error}", "--protocol", "vnc", "--address", "127.0.0.1")
                self.assertGreater(self.seam.failed("broker", op), 0)
                self.seam.fail("broker", op, 0)
                harness.until("an order", self.works)
                self.check_orders(list(orders.answered))
                self.check_log()
                self.assertFalse([host for host in self.gateway.rows("host", "list") if host["name"].startswith("never")])
        # Nobody who was at work noticed.
        seen = len(watcher.seen)
        harness.until("another frame", lambda: len(watcher.seen) > seen)
        self.close(watcher.session, self.browser)
        self.assertEqual(self.until_over(watcher.session)["recording"], "ended")
        self.assertEqual(self.check_recording(watcher.session, watcher.before(time.monotonic()))["verdict"], "intact")

    def works(self):
        try:
            self.gateway.cli("retention", "set", "--class", "other", "--days", 1)
        except harness.CliError:
            return False
        return True

    def test_below_the_checkpoints(self):
        """A signer that cannot remember signs nothing."""
        before = (self.state / "signer" / "audit" / "checkpoint").read_bytes()
        self.broken("signer", faults.SYNC, errno.EIO)
        for _ in range(3):
            self.gateway.cli("retention", "set", "--class", "other", "--days", 2)
        faults.ask_for_checkpoint(self.gateway)
        harness.until("a try", lambda: self.seam.failed("signer", faults.SYNC))
        self.assertEqual((self.state / "signer" / "audit" / "checkpoint").read_bytes(), before)
        self.assertEqual(self.check_log()["finding"], "sound")
        self.seam.fail("signer", faults.SYNC, 0)
        faults.ask_for_checkpoint(self.gateway)
        harness.until("a checkpoint", lambda: (self.state / "signer" / "audit" / "checkpoint").read_bytes() != before, 30)
        self.assertEqual(self.gateway.rows("audit", "alarms"), [])


if __name__ == "__main__":
    harness.main()
