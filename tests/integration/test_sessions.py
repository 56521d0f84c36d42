#!/usr/bin/env python3
"""A session's life: resume, replace, disconnect, log-out, view only, limits of zero."""

import time

import desktops
import harness
import sessions


class Life(sessions.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.BareVnc(cls.gateway.dir / "pc"))
        cls.number = cls.host_for(cls.pc, "pc", security="none")

    def test_dropped_connection_resumes(self):
        session = self.open(self.number)
        viewer = self.view(session).until_picture()
        worker = self.gateway.pids("worker")
        viewer.socket.drop()
        harness.until("detached", lambda: self.shown(session)["state"] == "detached")
        again = self.view(session).until_picture()
        self.assertEqual(self.gateway.pids("worker"), worker, "the PC saw a new login")
        self.assertTrue(again.screen.picture() == self.pc.x.picture())
        self.assertEqual(self.shown(session)["state"], "active")

    def test_opening_again_gives_the_same_session(self):
        session = self.open(self.number)
        self.view(session).until_picture()
        answer = self.browser.open_session(self.number)
        self.assertEqual((answer.status, answer.json["id"]), (200, session))

    def test_a_new_viewer_replaces_the_one_before(self):
        session = self.open(self.number)
        first = self.view(session).until_picture()
        second = self.view(session).until_picture()
        self.assertEqual(first.until_closed(), 4003)
        self.assertEqual(first.reason, "replaced")
        second.until_equal(self.pc.x)

    def test_log_out_of_the_pc_ends_it(self):
        session = self.open(self.number)
        viewer = self.view(session).until_picture()
        self.assertEqual(self.browser.delete(f"/api/sessions/{session}").status, 200)
        self.assertEqual(viewer.until_closed(), 4000)
        self.until_ended(session, "logout")
        harness.until("the worker to end", lambda: not self.gateway.pids("worker"))

    def test_logging_out_of_the_portal_detaches(self):
        person = self.gateway.add_user("suzuki")
        self.gateway.cli("host", "grant", "--name", "pc", "--user", "suzuki")
        browser = person.login()
        session = self.open(self.number, browser)
        viewer = self.view(session, browser).until_picture()
        browser.post("/api/logout")
        self.assertIn(viewer.until_closed(), (4000, 4001))
        self.assertEqual(browser.get("/api/me").status, 401)
        person.new_totp()
        browser.login(person.name, person.password, person.totp)
        self.assertEqual(self.shown(session, browser)["state"], "detached")
        self.view(session, browser).until_picture()

    def test_sessions_are_mine_alone(self):
        person = self.gateway.add_user("tanaka")
        self.gateway.cli("host", "grant", "--name", "pc", "--user", "tanaka")
        browser = person.login()
        session = self.open(self.number)
        self.assertEqual(browser.get(f"/api/sessions/{session}").status, 404)
        self.assertEqual(browser.delete(f"/api/sessions/{session}").status, 404)
        self.assertEqual(self.view(session, browser).until_closed(), 4000)

    def test_view_only(self):
        person = self.gateway.add_user("kengaku")
        self.gateway.cli("host", "grant", "--name", "pc", "--user", "kengaku", "--view-only")
        browser = person.login()
        session = self.open(self.number, browser)
        viewer = self.view(session, browser).until_picture()
        self.assertEqual(viewer.hello["view_only"], 1)
        before = self.pc.x.run("xdotool", "getmouselocation")
        viewer.send("pointer", x=777, y=66, buttons=0, wheel_x=0, wheel_y=0)
        viewer.send("ping", number=5)
        viewer.until("the answer to a ping", lambda: 5 in viewer.pongs)
        self.assertEqual(self.pc.x.run("xdotool", "getmouselocation"), before)

    def test_cli_shows_and_ends_it(self):
        session = self.open(self.number)
        viewer = self.view(session).until_picture()
        self.assertIn(session, [s["id"] for s in self.gateway.rows("session", "list")])
        self.gateway.cli("session", "end", "--id", session)
        self.assertEqual(viewer.until_closed(), 4000)
        self.until_ended(session, "terminated")

    def test_denied_host_cuts_at_once(self):
        person = self.gateway.add_user("ueda")
        self.gateway.cli("host", "grant", "--name", "pc", "--user", "ueda")
        browser = person.login()
        viewer = self.view(self.open(self.number, browser), browser).until_picture()
        self.cut(viewer, lambda: self.gateway.cli("host", "deny", "--name", "pc", "--user", "ueda"))

    def test_revoked_device_cuts_at_once(self):
        person = self.gateway.add_user("endo")
        self.gateway.cli("host", "grant", "--name", "pc", "--user", "endo")
        browser = person.login()
        number = person.device_number("laptop")
        viewer = self.view(self.open(self.number, browser), browser).until_picture()
        self.cut(viewer, lambda: self.gateway.cli("device", "revoke", "--id", number))

    def test_disabled_account_cuts_at_once(self):
        person = self.gateway.add_user("kimura")
        self.gateway.cli("host", "grant", "--name", "pc", "--user", "kimura")
        browser = person.login()
        viewer = self.view(self.open(self.number, browser), browser).until_picture()
        self.cut(viewer, lambda: self.gateway.cli("user", "disable", "--name", "kimura"))

    def cut(self, viewer, action):
        """The stream ends within a second of the command's end."""
        action()
        begin = time.monotonic()
        self.assertIn(viewer.until_closed(3), (4000, 4001))
        self.assertLess(time.monotonic() - begin, 1 * harness.PATIENCE)


class TwoWindows(sessions.Case):
    """A second window is the PC's second monitor."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.Xrdp(cls.gateway.dir / "xrdp"))
        cls.number = cls.host_for(cls.pc, "rdp", "rdp")

    def shows(self, viewer, left, width, height):
        """Until the viewer shows this part of the PC's screen."""
        def same():
            while viewer.step(0.3):
                pass
            whole = self.pc.x().picture()
            rows = [whole.rgb[(y * whole.width + left) * 3:(y * whole.width + left + width) * 3] for y in range(height)]
            return viewer.screen.picture() == desktops.Picture(width, height, b"".join(rows))

        harness.until("the part of the PC's screen", same, 40)

    def test_two_monitors_and_one_again(self):
        session = self.open(self.number, width=800, height=600)
        first = self.view(session, width=800, height=600).until_picture(30)
        first.until("monitors", lambda: first.hello["monitors"] == 2)
        self.assertEqual(first.hello["monitor"], 0)
        second = self.view(session, width=700, height=500, monitor=1)
        second.until("its monitor", lambda: second.screen.width == 700)
        self.assertEqual(second.hello["monitor"], 1)
        first.until("its monitor", lambda: first.screen.frames and first.screen.width == 800)
        harness.until("the PC to follow", lambda: self.pc.x().size() == (1500, 600))
        for viewer in (first, second):
            viewer.move(5, 5)
        self.shows(second, 800, 700, 500)
        self.shows(first, 0, 800, 600)
        second.move(31, 42)
        harness.until("the pointer", lambda: b"x:831 y:42 " in self.pc.x().run("xdotool", "getmouselocation"))
        second.close()
        harness.until("one monitor", lambda: first.step() and self.pc.x().size() == (800, 600))
        self.shows(first, 0, 800, 600)
        again = self.view(session, width=700, height=500, monitor=1)
        again.until("its monitor", lambda: again.screen.width == 700)
        first.socket.drop()
        self.assertEqual(again.until_closed(), 4000)
        self.assertEqual((again.state, again.reason), ("detached", "none"))
        self.assertEqual(self.view(session, monitor=1).until_closed(), 1013)


class Zero(sessions.Case):
    """A limit of 0 means none allowed, never "no limit"."""

    settings = {"session_per_account": 0}

    def test_no_session_for_an_account(self):
        pc = self.start(desktops.BareVnc(self.gateway.dir / "pc"))
        answer = self.browser.open_session(self.host_for(pc, "pc", security="none"))
        self.assertIn(answer.status, (403, 503, 507), answer)
        self.assertEqual(self.gateway.pids("worker"), [])


class ZeroTotal(Zero):
    settings = {"session_total": 0}


class ZeroHours(Zero):
    settings = {"session_max_hours": 0}


class NoResume(sessions.Case):
    settings = {"session_resume_minutes": 0}

    def test_a_dropped_connection_ends_it(self):
        pc = self.start(desktops.BareVnc(self.gateway.dir / "pc"))
        session = self.open(self.host_for(pc, "pc", security="none"))
        self.view(session).until_picture().socket.drop()
        self.until_ended(session, "resume-expired")


class TwoAtMost(sessions.Case):
    settings = {"session_per_account": 1}

    def test_a_second_one_is_refused(self):
        pc = self.start(desktops.BareVnc(self.gateway.dir / "pc"))
        first = self.open(self.host_for(pc, "one", security="none"))
        second = self.host_for(pc, "two", security="none")
        self.assertIn(self.browser.open_session(second).status, (403, 503, 507))
        self.browser.delete(f"/api/sessions/{first}")
        self.until_ended(first, "logout")
        self.open(second)


if __name__ == "__main__":
    harness.main()
