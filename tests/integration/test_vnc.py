#!/usr/bin/env python3
"""VNC desktops through the whole gateway: pixels, keys, pointer, size, and each kind of protection."""

import time

import desktops
import harness
import sessions


class Vnc(sessions.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.BareVnc(cls.gateway.dir / "bare"))
        cls.number = cls.host_for(cls.pc, "bare", security="none")

    def test_full_office_desktop_pixel_by_pixel(self):
        pc = self.start(desktops.VncDesktop(self.gateway.dir / "office-pc"))
        viewer = self.desktop(self.host_for(pc, "office"), width=1920, height=1080)
        viewer.until_equal(pc.x, 60)
        self.assertEqual((viewer.screen.width, viewer.screen.height), pc.x.size())
        self.assertGreater(len(set(viewer.screen.rgb)), 20)

    def test_x11vnc(self):
        pc = self.start(desktops.X11vnc(self.gateway.dir / "x11vnc"))
        terminal = pc.x.start("xterm", "-geometry", "100x30+50+50")
        self.addCleanup(terminal.stop)
        viewer = self.desktop(self.host_for(pc, "x11vnc"))
        harness.until("the terminal", lambda: pc.x.has_window("xterm"))
        viewer.until_equal(pc.x)

    def test_typing_reaches_the_pc(self):
        path = self.terminal(self.pc.x)
        viewer = self.desktop(self.number)
        viewer.type("Kaze ni fukarete #42 ~>_|\n")
        self.arrived(viewer, path, "Kaze ni fukarete #42 ~>_|")
        viewer.until_equal(self.pc.x)

    def test_japanese_text_reaches_the_pc(self):
        path = self.terminal(self.pc.x)
        viewer = self.desktop(self.number)
        # TigerVNC gives each new character one of some twenty free keys, and misses the first before any plain key.
        viewer.type("a\n")
        viewer.send("text", text="年末調整 ｱｲｳ ~¥𠮷")
        viewer.type("\n")
        self.arrived(viewer, path, "年末調整 ｱｲｳ ~¥𠮷")

    def test_pointer(self):
        viewer = self.desktop(self.number)
        viewer.send("pointer", x=321, y=234, buttons=0, wheel_x=0, wheel_y=0)
        harness.until("the pointer", lambda: self.pc.x.run("xdotool", "getmouselocation").startswith(b"x:321 y:234"))

    def test_released_keys(self):
        """A key that is down when the viewer goes away must not stay down on the PC."""
        viewer = self.desktop(self.number)
        viewer.send("key", keysym=0xFFE1, scancode=0x2A, down=1)
        self.until_shift(viewer, True)
        viewer.close()
        self.until_shift(None, False)

    def until_shift(self, viewer, down):
        def is_down():
            if viewer:
                viewer.step(0.05)
            mask = self.pc.x.run("python3", "-c", QUERY_SHIFT).strip()
            return mask == (b"1" if down else b"0")

        harness.until(f"shift {'down' if down else 'up'}", is_down, 10)

    def test_resize(self):
        viewer = self.desktop(self.number)
        for width, height in ((1024, 700), (1600, 900)):
            viewer.send("resize", width=width, height=height)
            viewer.until("the new size", lambda: (viewer.screen.width, viewer.screen.height) == (width, height))
            self.assertEqual(self.pc.x.size(), (width, height))
            viewer.until_equal(self.pc.x)

    def test_idle_desktop_sends_nothing(self):
        viewer = self.desktop(self.number)
        viewer.until_equal(self.pc.x)
        frames = viewer.screen.frames
        end = time.monotonic() + 2
        while time.monotonic() < end:
            viewer.step(0.1)
        self.assertEqual(viewer.screen.frames, frames)

    def test_refresh_gives_a_keyframe(self):
        viewer = self.desktop(self.number)
        viewer.until_equal(self.pc.x)
        viewer.screen.rgb = bytearray(len(viewer.screen.rgb))
        viewer.send("refresh")
        viewer.until_equal(self.pc.x)

    def test_wrong_vnc_password(self):
        pc = self.start(desktops.VncDesktop(self.gateway.dir / "wrong"))
        number = self.gateway.add_host("wrong", "vnc", pc.port, user="sato", password="nottrue1")
        self.until_ended(self.open(number), "pc-login")

    def test_password_wanted_but_pc_asks_none(self):
        """A PC that was to ask for a password and does not may be another one."""
        number = self.gateway.add_host("open", "vnc", self.pc.port, user="sato", password="secret12",
                                       security="vnc-password")
        self.until_ended(self.open(number), "pc-security")

    def test_pc_goes_away(self):
        pc = desktops.BareVnc(self.gateway.dir / "leaves")
        self.addCleanup(pc.stop)
        session = self.open(self.host_for(pc, "leaves", security="none"))
        viewer = self.view(session).until_picture()
        pc.kill()
        self.assertEqual(viewer.until_closed(), 4000)
        self.until_ended(session, "pc-closed")


class Vencrypt(sessions.Case):
    """X509Vnc: the PC's certificate comes from a CA that the office named."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.gateway.dir / "tls"
        folder.mkdir()
        for name in ("right", "other"):
            harness.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout",
                        folder / f"{name}.key", "-out", folder / f"{name}.pem")
        cls.folder = folder
        password = folder / "password.rfb"
        password.write_bytes(harness.run("vncpasswd", "-f", input=b"tls-pass"))
        cls.pc = cls.start(desktops.BareVnc(folder, "-PasswordFile", password, "-X509Cert", folder / "right.pem",
                                            "-X509Key", folder / "right.key", security="X509Vnc"))
        cls.pc.password = "tls-pass"

    def test_right_ca(self):
        number = self.host_for(self.pc, "x509", tls_ca=self.folder / "right.pem")
        self.desktop(number).until_equal(self.pc.x)

    def test_another_ca(self):
        number = self.host_for(self.pc, "x509-other", tls_ca=self.folder / "other.pem")
        self.until_ended(self.open(number), "pc-certificate")


QUERY_SHIFT = """
import ctypes
x = ctypes.CDLL("libX11.so.6")
x.XOpenDisplay.restype = ctypes.c_void_p
display = ctypes.c_void_p(x.XOpenDisplay(None))
x.XDefaultRootWindow.restype = ctypes.c_ulong
root, child, mask = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
n = [ctypes.c_int() for _ in range(4)]
x.XQueryPointer(display, ctypes.c_ulong(x.XDefaultRootWindow(display)), ctypes.byref(root), ctypes.byref(child),
                *map(ctypes.byref, n), ctypes.byref(mask))
print(mask.value & 1)
"""

if __name__ == "__main__":
    harness.main()
