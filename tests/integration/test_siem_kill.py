#!/usr/bin/env python3
"""kill -9 of sekisho-siem and the broker while the audit log goes to a collector, and orderly stops of the gateway."""
import os
import random
import shutil
import signal
import subprocess
import time

import collectors
import harness

KILLS, STOPS = 6, 1


class Kills(collectors.Case):
    def test_nothing_is_lost(self):
        collector = self.rsyslog()
        self.stop_in_order(collector)
        seed = int.from_bytes(os.urandom(4), "little")
        print("seed", seed)
        chance = random.Random(seed)
        for _ in range(KILLS):
            self.happen_somehow()
            role = chance.choice(("siem", "siem", "broker"))
            time.sleep(chance.random() * 0.6)  # any moment of handing over, sending, confirming, keeping
            for pid in self.gateway.pids(role):
                os.kill(pid, signal.SIGKILL)
        harness.until("the gateway to run again", self.gateway.is_up, 60)
        newest = self.caught_up(60)
        self.assertEqual(set(collector.numbers()), set(range(1, newest + 1)))
        self.doubles(collector, newest)

    def happen_somehow(self):
        """With a broker that may be gone."""
        try:
            self.happen()
        except harness.CliError:
            pass

    def stop_in_order(self, collector):
        """What is on its way is waited for: nothing comes twice."""
        for _ in range(STOPS):
            self.happen()
            self.assertTrue(self.gateway.stop())
            self.gateway.start()
        newest = self.caught_up()
        self.assertEqual(collector.numbers(), list(range(1, newest + 1)))

    def doubles(self, collector, newest):
        """As docs/audit.md has it."""
        found = {}
        for event in collector.events():
            found.setdefault(event["metadata"]["uid"], []).append(event)
        twice = [events for events in found.values() if len(events) > 1]
        print("twice:", len(twice), "of", newest)
        self.assertLessEqual(sum(len(events) - 1 for events in twice), KILLS * 64)
        for events in twice:
            self.assertTrue(all(event == events[0] for event in events))
        awk = r"""match($0, /sequenceId="[0-9]+"/) && !seen[substr($0, RSTART, RLENGTH)]++"""
        kept = subprocess.run(["awk", awk, collector.file], capture_output=True, text=True, check=True).stdout.splitlines()
        self.assertEqual(len(kept), newest)


if __name__ == "__main__":
    if not shutil.which("rsyslogd", path="/usr/sbin"):
        raise SystemExit(harness.SKIPPED)
    harness.main()
