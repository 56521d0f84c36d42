#!/usr/bin/env python3
"""Processes that die at random moments, while two desktops are shown and orders are given: what was seen is in the
recordings up to two seconds before, what was answered is in the audit log, and neither looks tampered with."""

import os
import signal
import time

import auditing
import client
import faults
import harness


ROLES = ("monitor", "broker", "worker", "edge", "vault", "signer")


class Kill(faults.Case):
    def setUp(self):
        self.dice = faults.dice("kill")
        self.gateway.cli("vault", "init", password=auditing.PASSPHRASE)
        self.orders = faults.Orders(self.gateway)
        self.addCleanup(self.orders.stop)
        self.watchers, self.ended, self.killed = [], [], 0

    def kill(self, roles):
        """All at once, as far as they are there just now."""
        pids = [self.gateway.process.pid if role == "monitor" else self.dice.choice(self.gateway.pids(role) or [None])
                for role in roles]
        for pid in filter(None, pids):
            try:
                os.kill(pid, signal.SIGKILL)
                self.killed += 1
            except ProcessLookupError:
                pass  # with the monitor, a moment ago

    def recover(self, roles):
        if "monitor" in roles:
            self.gateway.process.child.wait(20)
            # Nothing of it may be left: all its processes die with it, and then their sockets are closed.
            harness.until("its processes to be gone", lambda: not self.gateway.listens(), 20)
            self.gateway.start()
        harness.until("all parts to run", self.gateway.is_up, 60)

    def look_after(self, moment):
        """Of each desktop that was shown: it is shown again, or its recording is over. In both cases that has what was seen."""
        for watcher in self.watchers:
            watcher.stop()
        before, self.watchers = self.watchers, []
        for watcher in before:
            harness.until(lambda: f"{watcher.session} to go on or end", lambda: self.goes_on(watcher) or self.is_over(watcher), 60)
            if self.is_over(watcher):
                self.until_over(watcher.session)
                self.check_recording(watcher.session, watcher.before(moment - faults.DURABLE_S * harness.PATIENCE))
                self.ended.append(watcher.session)

    def is_over(self, watcher):
        return self.shown(watcher.session)["state"] == "ended"

    def goes_on(self, before):
        """The same session, seen again. A broker that is new waits for the workers to say who they are."""
        if self.is_over(before):
            return False
        try:
            watcher = faults.Watcher(self.browser, before.session)
        except client.Closed:
            return False
        self.addCleanup(watcher.stop)
        watcher.number = before.number
        self.watchers.append(watcher)
        return True

    def test_at_random_moments(self):
        once = [("monitor",), ("broker",), ("worker",), ("edge", "vault"), ("broker", "worker")]
        for number in range(faults.rounds(len(once))):
            roles = once[number] if number < len(once) else self.dice.sample(ROLES, self.dice.choice((1, 1, 2)))
            with self.subTest(number=number, roles=roles):
                there = [watcher.number for watcher in self.watchers]
                self.watchers += [self.watch(i) for i in range(2) if i not in there]
                time.sleep(self.dice.uniform(0.2, 3))
                moment = time.monotonic()
                self.kill(roles)
                self.recover(roles)
                self.look_after(moment)
                self.check_orders(list(self.orders.answered))
                self.check_log()
        self.orders.stop()
        self.check_orders(self.orders.answered)
        self.assertGreater(len(self.orders.answered), self.killed)
        for session in self.ended:
            self.check_recording(session)
        # The signer never signed what is not there, and nobody raised an alarm.
        self.assertEqual(self.gateway.rows("audit", "alarms"), [])
        code, answer = faults.sekisho("--config", self.gateway.settings_path, "audit", "verify")
        self.assertIn(answer["finding"], ("sound", "unanchored"), answer)


if __name__ == "__main__":
    harness.main()
