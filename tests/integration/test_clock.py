#!/usr/bin/env python3
"""The clock of the gateway steps back an hour while somebody works (preload_faults.c)."""

import json
import sqlite3
import time

import auditing
import faults
import harness
import recordings

HOUR_S = 3600


class Ahead:
    """Codes of a gateway whose clock is an hour ahead of ours."""

    def __init__(self, totp):
        self.totp = totp

    def code(self):
        return self.totp.at(int(time.time() + HOUR_S) // 30)


class Clock(faults.Case):
    @classmethod
    def setUpClass(cls):
        cls.seam = faults.Seam()
        cls.addClassCleanup(cls.seam.stop)
        super().setUpClass()
        cls.gateway.cli("vault", "init", password=auditing.PASSPHRASE)

    def set_clock(self, watcher, seconds):
        """And waits until the desktop was shown for a while."""
        self.seam.set_clock(seconds)
        count = self.chunks(watcher)
        harness.until("some chunks more", lambda: self.chunks(watcher) > count + 2)
        self.assertEqual(self.shown(watcher.session)["state"], "active")
        self.assertEqual(self.browser.get("/api/me").status, 200)
        self.gateway.cli("retention", "set", "--class", "clock", "--days", 1)

    def chunks(self, watcher):
        return len(faults.whole_chunks(self.file_of(watcher.session).read_bytes()))

    def test_an_hour_back(self):
        # What was certified in the hour before is not valid any more, so all that was before it.
        self.seam.set_clock(HOUR_S)
        type(self).browser = self.sato.client()
        self.browser.login(self.sato.name, self.sato.password, Ahead(self.sato.totp))
        watcher = self.watch(0)
        self.set_clock(watcher, HOUR_S)
        self.set_clock(watcher, 0)
        faults.ask_for_checkpoint(self.gateway)
        another = self.watch(1)
        harness.until("its first chunk", lambda: self.chunks(another))
        for one in (watcher, another):
            self.close(one.session, self.browser)
            self.assertEqual(self.until_over(one.session)["recording"], "ended")
            self.assertEqual(self.check_recording(one.session, one.before(time.monotonic()))["verdict"], "intact")
        self.recorded_as_it_was(watcher)
        self.entered_as_it_was()
        self.played(watcher.session)

    def recorded_as_it_was(self, watcher):
        """The wall clock's time as it stood, and one of the recording's own that only grows."""
        chunks, _ = recordings.read(self.file_of(watcher.session), self.key)
        self.assertEqual([c.start_us for c in chunks], sorted(c.start_us for c in chunks))
        steps = [round((after.time_ms - before.time_ms) / 1000) for before, after in zip(chunks, chunks[1:])]
        self.assertEqual([step > 0 for step in steps if abs(step) > HOUR_S / 2], [False], steps)
        own = (chunks[-1].start_us - chunks[0].start_us) / 1e6
        self.assertLess(own, HOUR_S / 2)

    def entered_as_it_was(self):
        faults.ask_for_checkpoint(self.gateway)
        harness.until("a checkpoint", lambda: self.check_log()["finding"] == "sound")
        with sqlite3.connect(f"file:{self.log_path}?mode=ro", uri=True, timeout=30) as db:
            times = [row[0] for row in db.execute("SELECT time_ms FROM audit ORDER BY seq")]
        db.close()
        self.assertTrue(any(after - before < -HOUR_S * 500 for before, after in zip(times, times[1:])), "no entry is from before")
        self.assertEqual(self.gateway.rows("audit", "alarms"), [])

    def played(self, session):
        auditor = self.gateway.add_user("kansa", role="auditor")
        browser = auditor.login()
        code = auditing.Case.fresh_code.__func__(type(self), auditor)
        answer = browser.post(f"/api/recordings/{session}/open", {"purpose": "月例の点検", "code": code})
        self.assertEqual(answer.status, 200, answer)
        player = auditing.Player(browser, session).start()
        self.addCleanup(player.close)
        self.assertEqual(player.verdict, "green", json.loads(player.info["verdict_detail"]))
        self.assertEqual(len(player.read(len(player.rows) // 2)[:8]), 8)


if __name__ == "__main__":
    harness.main()
