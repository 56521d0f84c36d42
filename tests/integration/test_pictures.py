#!/usr/bin/env python3
"""Pictures through the whole gateway: a photo comes as JPEG to a viewer that announced it, and becomes exact."""

import desktops
import harness
import sessions
import stream


class Pictures(sessions.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.BareVnc(cls.gateway.dir / "bare"))
        cls.number = cls.host_for(cls.pc, "bare", security="none")
        cls.photo = cls.gateway.dir / "photo.png"
        harness.run("convert", "-size", "640x480", "-seed", "7", "plasma:", "-blur", "0x2", str(cls.photo))

    def show_photo(self):
        window = self.pc.x.start("display", "-geometry", "+200+150", str(self.photo))
        self.addCleanup(window.stop)

    def test_photo_comes_as_jpeg_and_becomes_exact(self):
        viewer = self.view(self.open(self.number), codecs=stream.CODECS["jpeg"]).until_picture()
        viewer.move(100, 100)
        viewer.until_equal(self.pc.x)
        self.assertEqual(viewer.screen.pictures, 0, "a plain desktop needs no pictures")
        self.show_photo()
        viewer.until("a JPEG", lambda: viewer.screen.pictures > 0)
        viewer.until_equal(self.pc.x)

    def test_photo_is_lossless_for_a_viewer_that_asked_for_nothing(self):
        viewer = self.desktop(self.number)
        self.show_photo()
        harness.until("the photo", lambda: self.pc.x.has_window("display"))
        viewer.until_equal(self.pc.x)
        self.assertEqual(viewer.screen.pictures, 0)


if __name__ == "__main__":
    harness.main()
