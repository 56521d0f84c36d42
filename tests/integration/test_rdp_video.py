#!/usr/bin/env python3
"""H.264 of an RDP PC (freerdp-shadow) through the whole gateway: passed on, made exact, or not at all."""

import desktops
import harness
import sessions
import stream

OWN = stream.CODECS["avc420"]


class Video(sessions.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.Shadow(cls.gateway.dir / "shadow", lossy=True, size=(640, 480)))
        cls.number = cls.host_for(cls.pc, "shadow", "rdp", security="nla", video="yes")

    def play(self, seconds):
        """Text that changes all the time, then stands."""
        script = f"for i in $(seq {seconds * 20}); do echo line $i $RANDOM $RANDOM; sleep 0.05; done; sleep 1000"
        window = self.pc.x.start("xterm", "-geometry", "60x20+20+20", "-e", "bash", "--norc", "-c", script)
        self.addCleanup(window.stop)
        harness.until("the terminal", lambda: self.pc.x.has_window("xterm"))

    def near(self, viewer):
        """The picture is the PC's but for what H.264 takes from it: of the ground nothing that anybody sees."""
        ours, theirs = viewer.screen.picture(), self.pc.x.picture()
        self.assertEqual((ours.width, ours.height), (theirs.width, theirs.height))
        far = sum(abs(a - b) > 48 for a, b in zip(ours.rgb, theirs.rgb))
        self.assertLess(far / len(ours.rgb), 0.05)

    def test_followed_and_exact(self):
        session = self.open(self.number, width=640, height=480)
        viewer = self.view(session, width=640, height=480, codecs=OWN).until_picture()
        self.play(2)
        viewer.until("pictures of the PC", lambda: viewer.screen.passed > 10)
        viewer.until_exact()
        self.near(viewer)
        # Whoever comes now gets exactly the same, without any of it.
        late = self.view(session, width=640, height=480).until_picture()
        late.until_exact()
        self.assertEqual(late.screen.passed, 0)
        self.assertEqual(late.screen.picture(), viewer.screen.picture())

    def test_viewer_without_it(self):
        viewer = self.view(self.open(self.number, width=640, height=480), width=640, height=480,
                           codecs=stream.CODECS["jpeg"]).until_picture()
        self.play(1)
        before = viewer.screen.frames
        viewer.until("the terminal", lambda: viewer.screen.frames > before + 5)
        viewer.until_exact()
        self.near(viewer)
        self.assertEqual(viewer.screen.passed, 0)

    def test_not_asked_for(self):
        number = self.host_for(self.pc, "exact", "rdp", security="nla")
        viewer = self.view(self.open(number, width=640, height=480), width=640, height=480, codecs=OWN).until_picture()
        self.play(1)
        before = viewer.screen.frames
        viewer.until("the terminal", lambda: viewer.screen.frames > before + 5)
        self.assertEqual(viewer.screen.passed, 0)


if __name__ == "__main__":
    harness.main()
