#!/usr/bin/env python3
"""Looking on at a session of a PC with RDP, and taking it over: freerdp-shadow."""

import desktops
import harness
import watching


class Rdp(watching.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.Shadow(cls.gateway.dir / "shadow"))
        cls.number = cls.host_for(cls.pc, "申告PC", "rdp", security="nla")

    def test_a_watcher_sees_and_takes_over(self):
        typed = self.terminal(self.pc.x)
        viewer = self.desktop(self.number)
        session = viewer.session
        watcher = self.look(session).until_picture(30)
        self.assertEqual(watcher.watching, ("looking", "shown", True))
        self.both_see_it(viewer, watcher)
        # What somebody types who only looks on goes nowhere.
        watcher.type("not mine\n")
        viewer.type("yours\n")
        self.arrived(viewer, typed, "yours")
        self.assertEqual(typed.read_text(), "yours\n")
        self.both_see_it(viewer, watcher)
        watcher.send("control_ask", unused=0)
        viewer.until("the question", lambda: any(w["state"] == "asking" for w in viewer.watchers.values()))
        viewer.send("control_answer", watch=viewer.watchers[0]["watch"], yes=1)
        watcher.until_is("controlling")
        watcher.type("mine\n")
        self.arrived(viewer, typed, "mine")
        self.both_see_it(viewer, watcher)
        watcher.close()
        viewer.until("the watcher to leave", lambda: viewer.watchers.get(0, {}).get("state") == "none")
        self.assertEqual(self.logged("session-watch-end", session)["why"], "left")

    def both_see_it(self, viewer, watcher):
        """The person's window first: while it takes nothing the PC is not asked for more."""
        viewer.until_equal(self.pc.x, 60)
        watcher.until_equal(self.pc.x, 60)


if __name__ == "__main__":
    harness.main()
