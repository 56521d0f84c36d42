#!/usr/bin/env python3
"""Taking over other people's sessions and ending them, against a real VNC desktop."""

import json
import os
import signal
import time

import harness
import watching
from watching import PURPOSE

F1 = 0xFFBE


class Control(watching.Case):
    def test_control_goes_by_consent_and_comes_back(self):
        viewer = self.desktop(self.number)
        session = viewer.session
        typed = self.terminal(self.pc.x)
        watcher = self.look(session).until_picture()
        watcher.type("before\n")
        watcher.send("resize", width=640, height=480)
        watcher.send("control_ask", unused=0)
        viewer.until("the question", lambda: any(w["state"] == "asking" for w in viewer.watchers.values()))
        question = viewer.watchers[0]
        self.assertGreater(question["seconds"], 50)
        watcher.type("asking\n")
        viewer.send("control_answer", watch=question["watch"], yes=1)
        watcher.until_is("controlling")
        # It is in the log by now.
        self.assertEqual(self.logged("control-given", session), {"person": "sato", "why": "person"})
        self.assertEqual(self.log_of("control-given", session)[-1]["account"], "kansa")
        watcher.type("mine\n")
        self.arrived(viewer, typed, "mine")
        self.assertEqual(typed.read_text(), "mine\n", "nothing of before has arrived")
        # A key that is held is let go with the control, which a key of the person takes back.
        watcher.send("key", keysym=ord("z"), scancode=0x2C, down=1)
        viewer.key(F1)
        watcher.until_is("looking")
        self.assertEqual(self.logged("control-ended", session)["why"], "person")
        watcher.type("after\n")
        viewer.key(0xFF08)  # the z
        viewer.type("yours\n")
        self.arrived(viewer, typed, "yours")
        self.assertNotIn("after", typed.read_text())
        self.assertEqual((watcher.screen.width, watcher.screen.height), (viewer.screen.width, viewer.screen.height))
        watcher.close()
        viewer.until("the watcher to leave", lambda: viewer.watchers.get(0, {}).get("state") == "none")
        viewer.close()
        self.browser.delete(f"/api/sessions/{session}")
        events = self.events(session)
        steps = [e["event"] for e in events if e["event"].startswith(("watcher", "control"))]
        self.assertEqual(steps, ["watcher-joined", "control-asked", "control-given", "control-ended", "watcher-left"])
        joined = next(e for e in events if e["event"] == "watcher-joined")
        self.assertEqual((joined["account"], joined["name"], joined["purpose"]), ("kansa", "kansa 花子", PURPOSE))

    def test_a_right_that_is_taken_away_ends_it_within_a_second(self):
        viewer = self.desktop(self.number)
        watcher = self.look(viewer.session).until_picture()
        self.entitle("kansa", "view")  # less than it was begun with
        self.addCleanup(self.entitle, "kansa", "control")
        cut = time.monotonic()
        self.assertEqual(watcher.until_closed(), 4000)
        self.assertLess(time.monotonic() - cut, 1 * harness.PATIENCE)
        self.assertEqual((watcher.state, watcher.reason), ("detached", "revoked-account"))
        self.assertEqual(self.logged("session-watch-end", viewer.session)["why"], "revoked")
        viewer.until("the watcher to leave", lambda: viewer.watchers.get(0, {}).get("state") == "none")
        # May look, not ask.
        watcher = self.look(viewer.session).until_picture()
        self.assertEqual(watcher.watching, ("looking", "shown", False))
        watcher.send("control_ask", unused=0)
        watcher.until("the no", lambda: ("control-busy", 0) in watcher.notices)
        self.auditor.post("/api/logout", {})
        self.assertEqual(watcher.until_closed(), 4000)
        self.auditor.cookie = None
        self.auditor.login("kansa", self.kansa.password, self.kansa_code())

    def kansa_code(self):
        code = self.fresh_code(self.kansa)
        return type("code", (), {"code": lambda _: code})()

    def test_a_broker_that_dies_ends_it(self):
        viewer = self.desktop(self.number)
        session = viewer.session
        watcher = self.look(session).until_picture()
        watcher.send("control_ask", unused=0)
        viewer.until("the question", lambda: any(w["state"] == "asking" for w in viewer.watchers.values()))
        viewer.send("control_answer", watch=viewer.watchers[0]["watch"], yes=1)
        watcher.until_is("controlling")
        os.kill(self.gateway.pid("broker"), signal.SIGKILL)
        self.assertEqual(watcher.until_closed(), 4000)
        self.assertEqual((watcher.state, watcher.reason), ("detached", "gateway"))
        viewer.until("nobody to look on", lambda: viewer.watchers.get(0, {}).get("state") == "none")
        # The desktop goes on, and the log has the end.
        harness.until("the broker", self.gateway.is_up)
        self.assertEqual(self.logged("session-watch-end", session)["why"], "gateway")
        self.assertEqual(self.live(session)["watchers"], [])
        self.look(session).until_picture()

    def test_an_end_with_a_reason(self):
        viewer = self.desktop(self.number)
        session = viewer.session
        for reason in ("abc", "x" * 257, "a\tbcd"):
            answer = self.admin.post(f"/api/live/{session}/end", {"reason": reason})
            self.refused(answer, 400, "invalid", session, "reason")
        answer = self.browser.post(f"/api/live/{session}/end", {"reason": "本人による"})
        self.assertEqual(answer.status, 403, answer)
        reason = "退勤時刻を過ぎたため \"<b>\""
        self.assertEqual(self.admin.post(f"/api/live/{session}/end", {"reason": reason}).status, 200)
        viewer.until_closed()
        self.assertEqual((viewer.state, viewer.reason), ("ended", "administrator"))
        shown = self.shown(session)
        self.assertEqual((shown["reason"], shown["ended_by"], shown["ended_words"]), ("administrator", "kanri 花子", reason))
        entry = self.log_of("session-terminated", session)[-1]
        self.assertEqual((entry["account"], json.loads(entry["detail"])), ("kanri", {"reason": reason, "person": "sato"}))
        last = self.events(session)[-1]
        self.assertEqual((last["reason"], last["account"], last["words"]), ("administrator", "kanri", reason))
        answer = self.admin.post(f"/api/live/{session}/end", {"reason": reason})
        self.refused(answer, 404, "not-found", session)

if __name__ == "__main__":
    harness.main()
