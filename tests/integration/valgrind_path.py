#!/usr/bin/env python3
"""The path that test_valgrind takes: login, desktops over VNC and RDP, keys, resize, resume, log-out."""

import desktops
import harness
import sessions


class Path(sessions.Case):
    # Memcheck does not know Landlock's system calls.
    settings = {"session_connect_seconds": 15, "gateway_require_landlock": "no"}

    def shown_and_typed(self, host, pc, text):
        path = self.terminal(pc.x)
        session = self.open(host)
        viewer = self.view(session).until_picture(60)
        viewer.move(100, 100)
        viewer.type(text + "\n")
        self.arrived(viewer, path, text)
        viewer.until_equal(pc.x)
        viewer.socket.drop()
        viewer = self.view(session).until_picture(60)
        viewer.move(120, 120)
        viewer.until_equal(pc.x)
        return session, viewer

    def test_vnc(self):
        pc = self.start(desktops.BareVnc(self.gateway.dir / "vnc-pc"))
        session, viewer = self.shown_and_typed(self.host_for(pc, "vnc", security="none"), pc, "kaze ni fukarete")
        viewer.send("resize", width=1024, height=700)
        viewer.until("the new size", lambda: viewer.screen.width == 1024)
        viewer.until_equal(pc.x)
        self.browser.delete(f"/api/sessions/{session}")
        self.until_ended(session, "logout")

    def test_rdp(self):
        pc = self.start(desktops.Shadow(self.gateway.dir / "rdp-pc"))
        session, _ = self.shown_and_typed(self.host_for(pc, "rdp", "rdp", security="nla"), pc, "ame nimo makezu")
        self.browser.delete(f"/api/sessions/{session}")
        self.until_ended(session, "logout")

    def test_bad_pc(self):
        pc = self.start(desktops.BadPc(desktops.rubbish))
        for protocol in ("vnc", "rdp"):
            number = self.gateway.add_host(f"bad {protocol}", protocol, pc.port, user="sato", password="x", pc_user="x")
            self.until_ended(self.open(number), "pc-protocol", 60)


if __name__ == "__main__":
    harness.main()
