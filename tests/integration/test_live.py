#!/usr/bin/env python3
"""Looking on at other people's sessions, against a real VNC desktop."""

import json

import harness
import watching
from watching import PURPOSE


class Looking(watching.Case):
    def test_a_watcher_sees_what_the_person_sees(self):
        viewer = self.desktop(self.number)
        session = viewer.session
        watcher = self.look(session).until_picture()
        self.assertEqual(watcher.watching, ("looking", "shown", True))
        watcher.until_equal(self.pc.x)
        # The person knows who it is, by name and purpose.
        viewer.until("the watcher's name", lambda: viewer.watchers)
        seen = viewer.watchers[0]
        self.assertEqual((seen["state"], seen["account"], seen["name"], seen["purpose"]),
                         ("looking", "kansa", "kansa 花子", PURPOSE))
        self.assertEqual(self.live(session)["watchers"], [{"account": "kansa", "full_name": "kansa 花子"}])
        watcher.close()
        viewer.until("the watcher to leave", lambda: viewer.watchers.get(0, {}).get("state") == "none")
        end = self.logged("session-watch-end", session)
        self.assertEqual((end["why"], end["person"]), ("left", "sato"))
        self.assertIsInstance(end["seconds"], int)
        begin = self.log_of("session-watch", session)[-1]
        self.assertEqual(begin["account"], "kansa")
        self.assertEqual(json.loads(begin["detail"])["purpose"], PURPOSE)
        self.assertEqual(self.live(session)["watchers"], [])

    def test_refusals_are_logged(self):
        viewer = self.desktop(self.number)
        session = viewer.session
        guessed = "0123456789abcdef" * 2
        self.refused(self.ask(guessed), 404, "not-found", guessed)
        for purpose in ("abc", "あいう", "x" * 257, "    ", "why\nnot"):
            self.refused(self.ask(session, purpose=purpose), 400, "invalid", session, "purpose")
        self.refused(self.ask(session, code="000000"), 401, "login", session)
        code = self.fresh_code(self.kansa)
        self.assertEqual(self.ask(session, code=code).status, 200)
        self.refused(self.ask(session, code=code), 401, "login", session)
        # An administrator who may not; staff, to whom nothing of it is there.
        self.refused(self.ask(session, self.admin, self.kanri), 403, "denied", session)
        answer = self.ask(session, self.browser, self.sato)
        self.assertEqual((answer.status, answer.json["error"]), (403, "denied"))
        self.assertEqual(self.log_of("session-watch-refused", session)[-1]["account"], "sato")
        with self.assertRaises(harness.CliError):
            self.entitle("sato", "view")
        # The stream is the login's that asked, and is opened once.
        for browser in (self.admin, self.browser):
            self.assertEqual(self.closed(watching.Watcher(browser, session)), 4001)
        watcher = watching.Watcher(self.auditor, session).until_picture()
        self.assertIn(self.closed(watching.Watcher(self.auditor, session)), (4000, 1013))
        watcher.close()

    def closed(self, watcher):
        return watcher.until_closed()

    def test_nobody_looks_on_at_himself(self):
        self.entitle("kanri", "control")
        self.addCleanup(self.entitle, "kanri", "no")
        self.gateway.cli("host", "grant", "--name", "経理PC", "--user", "kanri")
        viewer = self.view(self.open(self.number, self.admin), self.admin).until_picture()
        self.refused(self.ask(viewer.session, self.admin, self.kanri), 403, "denied", viewer.session, "self")

    def test_the_person_goes_and_comes_back(self):
        viewer = self.desktop(self.number)
        watcher = self.look(viewer.session).until_picture()
        viewer.close()
        watcher.until_sees("away")
        frames = watcher.screen.frames
        self.pc.x.run("xsetroot", "-solid", "#123456")
        while watcher.step(0.5):
            pass
        self.assertEqual(watcher.screen.frames, frames)
        again = self.view(viewer.session).until_picture()
        again.move(100, 100)
        watcher.until_sees("shown").until("a picture", lambda: watcher.screen.frames > frames)
        again.until("the name", lambda: again.watchers and again.watchers[0]["name"] == "kansa 花子")

if __name__ == "__main__":
    harness.main()
