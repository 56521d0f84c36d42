#!/usr/bin/env python3
"""Nobody was there: the lock holds against the cookie alone. And viewers go with their login."""

import os
import signal

import desktops
import harness
import sessions


class Idle(sessions.Case):
    settings = {"session_idle_warn_minutes": 1, "session_idle_lock_minutes": 1}

    def refused(self, answer):
        self.assertEqual((answer.status, answer.json["error"]), (423, "locked"), answer)

    def test_only_the_password_opens_it(self):
        pc = self.start(desktops.BareVnc(self.gateway.dir / "pc"))
        number = self.host_for(pc, "pc", security="none")
        other = self.host_for(pc, "other", security="none")
        session = self.open(number)
        viewer = self.view(session).until_picture()
        self.assertEqual(viewer.until_closed(75), 4000)
        self.assertEqual(self.shown(session)["state"], "locked")
        # What somebody else at the laptop has: the device's key and the cookie.
        self.refused(self.browser.delete(f"/api/sessions/{session}"))
        self.refused(self.browser.open_session(number))
        self.refused(self.browser.open_session(other))
        self.assertEqual(self.view(session).until_closed(), 4000)
        self.assertTrue(self.browser.get("/api/me").json["locked"])
        # Nor does it help when the session ends, or the broker starts anew.
        self.gateway.cli("session", "end", "--id", session)
        self.until_ended(session, "terminated")
        self.refused(self.browser.open_session(number))
        broker = self.gateway.pid("broker")
        os.kill(broker, signal.SIGKILL)
        harness.until("another broker", lambda: self.gateway.pids("broker") not in ([], [broker])
                      and self.browser.get("/api/me").status == 200)
        self.refused(self.browser.open_session(number))
        wrong = self.browser.post("/api/unlock", {"password": "kaze-ni-fukarete-43"})
        self.assertEqual((wrong.status, wrong.json["error"]), (401, "login"))
        self.refused(self.browser.open_session(number))
        self.assertEqual(self.browser.post("/api/unlock", {"password": self.sato.password}).status, 200)
        self.assertFalse(self.browser.get("/api/me").json["locked"])
        self.view(self.open(number)).until_picture()


class Restarted(sessions.Case):
    def test_viewers_leave_with_their_login(self):
        pc = self.start(desktops.BareVnc(self.gateway.dir / "pc"))
        session = self.open(self.host_for(pc, "pc", security="none"))
        viewer = self.view(session).until_picture()
        broker = self.gateway.pid("broker")
        os.kill(broker, signal.SIGKILL)
        harness.until("the session with another broker", lambda: self.gateway.pids("broker") not in ([], [broker])
                      and self.browser.get("/api/me").status == 200 and self.shown(session)["state"] == "active")
        viewer.move(10, 10)
        self.gateway.cli("user", "password", "--name", "sato", password="tsuki-wa-higashi-ni-88")
        self.assertIn(viewer.until_closed(15), (4000, 4001, 4003))
        self.assertEqual(self.browser.get("/api/me").status, 401)


if __name__ == "__main__":
    harness.main()
