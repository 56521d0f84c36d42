#!/usr/bin/env python3
"""A PC that refuses, hangs or talks rubbish: a reason within the time, and the worker is gone."""

import time

import desktops
import harness
import sessions


def banner_then_hang(peer):
    peer.sendall(b"RFB 003.008\n")
    desktops.hang(peer)


def huge_desktop(peer):
    """RFB without a password and a desktop of 65535 by 65535 pixels."""
    peer.sendall(b"RFB 003.008\n")
    peer.recv(12)
    peer.sendall(b"\x01\x01")
    peer.recv(1)
    peer.sendall(b"\0\0\0\0")
    peer.recv(1)
    peer.sendall(b"\xff\xff\xff\xff" + bytes([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]) +
                 b"\0\0\0\4evil")
    desktops.hang(peer)


class BadPc(sessions.Case):
    settings = {"session_connect_seconds": 3}

    def ends(self, protocol, port, reasons, **more):
        name = f"bad-{port}-{protocol}"
        number = self.gateway.add_host(name, protocol, port, user="sato", password="whatever", pc_user="x", **more)
        begin = time.monotonic()
        session = self.open(number)
        harness.until("the session to end", lambda: self.shown(session)["state"] == "ended", 10)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertIn(self.shown(session)["reason"], reasons)
        harness.until("the worker to end", lambda: not self.gateway.pids("worker"))

    def behaving(self, behave):
        pc = desktops.BadPc(behave)
        self.addCleanup(pc.stop)
        return pc.port

    def test_refused(self):
        for protocol in ("vnc", "rdp"):
            with self.subTest(protocol):
                self.ends(protocol, harness.free_port(), ["pc-unreachable"])

    def test_hangs(self):
        for protocol in ("vnc", "rdp"):
            with self.subTest(protocol):
                self.ends(protocol, self.behaving(desktops.hang), ["pc-timeout"])

    def test_hangs_after_the_greeting(self):
        self.ends("vnc", self.behaving(banner_then_hang), ["pc-timeout"])

    def test_rubbish(self):
        for protocol in ("vnc", "rdp"):
            with self.subTest(protocol):
                self.ends(protocol, self.behaving(desktops.rubbish), ["pc-protocol"])

    def test_hangs_up(self):
        for protocol in ("vnc", "rdp"):
            with self.subTest(protocol):
                self.ends(protocol, self.behaving(desktops.hang_up), ["pc-closed", "pc-protocol", "pc-unreachable"])

    def test_unknown_name(self):
        number = self.gateway.add_host("nowhere", "vnc", 5900, address="pc.invalid", user="sato", password="x")
        session = self.open(number)
        self.until_ended(session, "pc-unreachable", 10)

    def test_desktop_too_big(self):
        self.ends("vnc", self.behaving(huge_desktop), ["pc-too-big"], security="none")


if __name__ == "__main__":
    harness.main()
