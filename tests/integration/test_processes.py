#!/usr/bin/env python3
"""Kill -9 any process: the monitor brings it back and open desktops go on; a worker ends one session."""

import os
import signal

import desktops
import harness
import sessions


class Kill(sessions.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.BareVnc(cls.gateway.dir / "pc"))
        cls.number = cls.host_for(cls.pc, "pc", security="none")

    def setUp(self):
        self.session = self.open(self.number)
        self.viewer = self.view(self.session).until_picture()

    def kill(self, role):
        """SIGKILL, then waits for another process in its place."""
        before = self.gateway.pid(role)
        os.kill(before, signal.SIGKILL)
        harness.until(f"another {role}", lambda: [p for p in self.gateway.pids(role) if p != before], 20)
        harness.until("all parts to run", self.gateway.is_up, 30)

    def goes_on(self):
        """The same worker still shows what the PC shows now."""
        self.pc.x.run("xsetroot", "-solid", "#%06x" % (int.from_bytes(os.urandom(3), "big")))
        self.viewer.until_equal(self.pc.x)

    def test_worker(self):
        other = self.open(self.host_for(self.pc, "other", security="none"))
        watched = self.view(other).until_picture()
        before = self.gateway.pids("worker")
        mine = self.worker_of(self.session)
        os.kill(mine, signal.SIGKILL)
        self.assertEqual(self.viewer.until_closed(), 4000)
        self.until_ended(self.session, "crashed")
        self.pc.x.run("xsetroot", "-solid", "#123456")
        watched.until_equal(self.pc.x)
        self.assertEqual(self.gateway.pids("worker"), [p for p in before if p != mine])

    def worker_of(self, session):
        """The monitor logs which process serves which session."""
        for line in reversed(self.gateway.log().splitlines()):
            words = dict(w.split("=", 1) for w in line.split() if "=" in w)
            if session in line and words.get("pid", "").isdigit() and int(words["pid"]) in self.gateway.pids("worker"):
                return int(words["pid"])
        return self.gateway.pids("worker")[0]

    def test_edge(self):
        workers = self.gateway.pids("worker")
        self.kill("edge")
        self.assertIsNone(self.viewer.until_closed())
        self.assertEqual(self.shown(self.session)["state"], "detached")
        self.viewer = self.view(self.session).until_picture()
        self.goes_on()
        self.assertEqual(self.gateway.pids("worker"), workers)

    def test_broker(self):
        workers = self.gateway.pids("worker")
        self.kill("broker")
        self.goes_on()
        harness.until("the broker to know the session again", lambda: self.shown(self.session)["state"] == "active")
        self.assertEqual(self.gateway.pids("worker"), workers)
        self.assertEqual(self.browser.delete(f"/api/sessions/{self.session}").status, 200)
        self.until_ended(self.session, "logout")

    def test_signer(self):
        self.kill("signer")
        self.goes_on()
        self.sato.enrol("another-" + os.urandom(3).hex())

    def test_probe(self):
        self.kill("probe")
        self.goes_on()
        harness.until("the state of the PC", lambda: self.browser.get("/api/hosts").json["hosts"][0]["state"]
                      == "reachable", 40)

    def test_hanging_worker_is_ended(self):
        os.kill(self.worker_of(self.session), signal.SIGSTOP)
        self.until_ended(self.session, "crashed", 90)
        harness.until("the worker to be gone", lambda: not self.gateway.pids("worker"))


class Stop(sessions.Case):
    def test_sigterm_ends_sessions_with_a_message(self):
        pc = self.start(desktops.BareVnc(self.gateway.dir / "pc"))
        viewer = self.view(self.open(self.host_for(pc, "pc", security="none"))).until_picture()
        self.gateway.process.child.terminate()
        self.assertIn(viewer.until_closed(), (4000, None))
        self.gateway.process.child.wait(15)
        self.assertEqual(self.gateway.process.child.returncode, 0)
        self.gateway.start()

    def test_state_survives_a_restart(self):
        before = self.gateway.ca.read_text()
        self.assertTrue(self.gateway.stop())
        self.gateway.start()
        self.assertEqual(self.gateway.ca.read_text(), before)
        self.assertEqual(self.browser.get("/api/me").json["account"], "sato")


if __name__ == "__main__":
    harness.main()
