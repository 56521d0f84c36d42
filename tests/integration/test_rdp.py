#!/usr/bin/env python3
"""RDP desktops through the whole gateway: xrdp over TLS, freerdp-shadow over NLA, the pinned certificate."""

import desktops
import harness
import sessions


class Shadow(sessions.Case):
    """freerdp-shadow with NLA: NTLM as Windows without a domain does it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.Shadow(cls.gateway.dir / "shadow"))
        cls.number = cls.host_for(cls.pc, "shadow", "rdp", security="nla")

    def test_pixels(self):
        self.terminal(self.pc.x)
        self.desktop(self.number).until_equal(self.pc.x, 60)

    def test_typing_reaches_the_pc(self):
        path = self.terminal(self.pc.x)
        viewer = self.desktop(self.number)
        viewer.type("ame nimo makezu 7\n")
        self.arrived(viewer, path, "ame nimo makezu 7")

    def test_wrong_password(self):
        number = self.gateway.add_host("shadow-wrong", "rdp", self.pc.port, user="sato", password="not-the-one",
                                       pc_user=self.pc.user, security="nla")
        self.until_ended(self.open(number), "pc-login")

    def test_login_asked_for_and_not_kept(self):
        number = self.gateway.add_host("shadow-ask", "rdp", self.pc.port, user="sato", security="nla")
        login = {"user": self.pc.user, "password": self.pc.password, "domain": ""}
        self.assertEqual(self.browser.open_session(number).status, 409)
        session = self.open(number, credentials=login)
        self.view(session).until_picture(30)
        self.browser.delete(f"/api/sessions/{session}")
        self.assertEqual(self.browser.open_session(number).status, 409)

    def test_login_asked_for_and_kept(self):
        number = self.gateway.add_host("shadow-keep", "rdp", self.pc.port, user="sato", security="nla")
        login = {"user": self.pc.user, "password": self.pc.password, "domain": ""}
        session = self.open(number, credentials=login, keep=True)
        self.view(session).until_picture(30)
        self.browser.delete(f"/api/sessions/{session}")
        self.desktop(number)


class Pin(sessions.Case):
    def test_a_changed_certificate_is_refused_until_forgotten(self):
        first = desktops.Shadow(self.gateway.dir / "before")
        self.addCleanup(first.stop)
        number = self.host_for(first, "pinned", "rdp", security="nla")
        session = self.open(number)
        self.view(session).until_picture(30)
        self.browser.delete(f"/api/sessions/{session}")
        self.until_ended(session, "logout")
        first.stop()
        # The same address with another key is what an attacker in between would look like.
        second = desktops.Shadow(self.gateway.dir / "after", port=first.port)
        self.addCleanup(second.stop)
        self.gateway.cli("host", "credentials", "--name", "pinned", "--user", "sato", "--pc-user", second.user,
                         password=second.password)
        self.until_ended(self.open(number), "pc-certificate", 20)
        self.gateway.cli("host", "forget-pin", "--name", "pinned")
        self.desktop(number)


class Xrdp(sessions.Case):
    """xrdp with xorgxrdp: TLS, a login of the PC's own, resize by its display channel."""

    @classmethod
    def setUpClass(cls):
        harness.need_root()
        super().setUpClass()
        cls.pc = cls.start(desktops.Xrdp(cls.gateway.dir / "xrdp"))
        cls.number = cls.host_for(cls.pc, "xrdp", "rdp", security="tls")

    def test_desktop(self):
        viewer = self.desktop(self.number, width=1280, height=800)
        viewer.until("the desktop", lambda: len(set(viewer.screen.rgb[::3])) > 20, 40)
        self.assertEqual((viewer.screen.width, viewer.screen.height), (1280, 800))
        x = self.pc.x()
        viewer.until_equal(x, 60)
        viewer.send("resize", width=1024, height=768)
        viewer.until("the new size", lambda: (viewer.screen.width, viewer.screen.height) == (1024, 768), 30)
        viewer.until_equal(x, 60)

    def test_wrong_password(self):
        number = self.gateway.add_host("xrdp-wrong", "rdp", self.pc.port, user="sato", password="not-the-one",
                                       pc_user=self.pc.user, security="tls")
        session = self.open(number)
        # xrdp shows a window of its own that says so; it does not end the connection by itself.
        self.view(session).until_picture(30)


if __name__ == "__main__":
    harness.main()
