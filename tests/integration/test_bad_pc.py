#!/usr/bin/env python3
"""A PC that refuses, hangs or talks rubbish: a reason within the time, and the worker is gone."""

import pathlib
import re
import select
import struct
import time

import desktops
import harness
import sessions
import test_rdp_host

WIDTH, HEIGHT = 800, 600
RAW, COPY, TIGHT, ZRLE, SIZE = 0, 1, 7, 16, -223


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


def exactly(peer, count):
    while count > 0:
        data = peer.recv(count)
        if not data:
            raise OSError("gone")
        count -= len(data)


def rect(x, y, width, height, encoding, data=b""):
    return struct.pack(">4Hi", x, y, width, height, encoding) + data


def update(*rects, count=None):
    """FramebufferUpdate (RFC 6143 7.6.1), perhaps with another number of rectangles."""
    return struct.pack(">BBH", 0, 0, len(rects) if count is None else count) + b"".join(rects)


def desktop(*parts):
    """A server that paints its desktop grey, and then says this; a function gives what it says until it is stopped."""
    def behave(peer):
        peer.sendall(b"RFB 003.008\n")
        exactly(peer, 12)
        peer.sendall(b"\x01\x01")
        exactly(peer, 1)
        peer.sendall(b"\0\0\0\0")
        exactly(peer, 1)
        peer.sendall(struct.pack(">HHBBBBHHHBBBxxxI", WIDTH, HEIGHT, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0, 4) + b"evil")
        peer.recv(4096)
        peer.sendall(update(rect(0, 0, WIDTH, HEIGHT, RAW, b"\x80\x80\x80\0" * (WIDTH * HEIGHT))))
        for part in parts:
            for data in part() if callable(part) else [part]:
                peer.sendall(data)
                # What it is asked meanwhile: a PC that reads nothing is one that hangs.
                while select.select([peer], [], [], 0)[0] and peer.recv(65536):
                    pass
        desktops.hang(peer)
    return behave


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

    def worker_mb(self):
        """The most that it has had; 0 when it is gone."""
        try:
            pid, = self.gateway.pids("worker")
            text = pathlib.Path(f"/proc/{pid}/status").read_text()
            return int(re.search(r"VmHWM:\s*(\d+)", text).group(1)) / 1024
        except (ValueError, OSError, AttributeError):
            return 0

    def shown_then_ends(self, name, reason, *parts):
        """With a viewer, so that the PC is asked for pictures."""
        with self.subTest(name):
            host = self.gateway.add_host(name, "vnc", self.behaving(desktop(*parts)), user="sato", security="none")
            session = self.open(host)
            viewer = self.view(session)
            self.until_ended(session, reason, 15)
            viewer.close()
            harness.until("the worker to end", lambda: not self.gateway.pids("worker"))

    def test_hostile_updates(self):
        self.shown_then_ends("outside", "pc-protocol", update(rect(WIDTH - 1, 0, 2, 1, RAW, bytes(8))))
        self.shown_then_ends("all-bits", "pc-protocol", update(rect(65535, 65535, 65535, 65535, RAW, bytes(100))))
        self.shown_then_ends("copy-from-outside", "pc-protocol", update(rect(0, 0, 9, 9, COPY, b"\xff\xff\xff\xff")))
        # Neither was asked for; both carry what is no zlib stream.
        self.shown_then_ends("tight", "pc-protocol", update(rect(0, 0, 64, 64, TIGHT, b"\0\xff\xff\x7f" + bytes(500))))
        self.shown_then_ends("zrle", "pc-protocol", update(rect(0, 0, 64, 64, ZRLE, b"\xff\xff\xff\xff" + bytes(500))))

    def test_hostile_sizes(self):
        self.shown_then_ends("huge", "pc-too-big", update(rect(0, 0, 16384, 16384, SIZE)))
        self.shown_then_ends("nothing", "pc-too-big", update(rect(0, 0, 0, 0, SIZE)))
        # smaller in the middle of an update, whose next rectangle is for what it was
        self.shown_then_ends("in-an-update", "pc-protocol",
                             update(rect(0, 0, 9, 9, RAW, bytes(324)), rect(0, 0, 100, 100, SIZE),
                                    rect(0, 0, WIDTH, 1, RAW, bytes(4 * WIDTH))))

    def test_endless_tiny_updates(self):
        """Of one pixel, and of no rectangle at all: the session goes on, and memory does not grow."""
        stop = []

        def endless():
            number = 0
            while not stop:
                number += 1
                yield update(rect(number % WIDTH, number % HEIGHT, 1, 1, RAW, struct.pack("<I", number)), count=1) * 50
                yield update() * 50

        self.addCleanup(stop.append, True)
        host = self.gateway.add_host("endless", "vnc", self.behaving(desktop(endless)), user="sato", security="none")
        viewer = self.desktop(host)
        before = self.worker_mb()
        end = time.monotonic() + 2
        while time.monotonic() < end:
            viewer.step(0.1)
        self.assertLess(self.worker_mb() - before, 60)
        self.assertEqual(self.shown(viewer.session)["state"], "active")
        stop.append(True)

    def test_hostile_rdp(self):
        """What test_rdp_host.py tries on the client alone, once through the whole gateway."""
        key, cert = self.gateway.dir / "pc-key.pem", self.gateway.dir / "pc-cert.pem"
        harness.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=pc", "-keyout", key, "-out",
                    cert)
        pc = test_rdp_host.Host(self.gateway.dir, cert, key)
        self.addCleanup(pc.stop)
        session = self.open(self.host_for(pc, "graphics", "rdp", security="tls"))
        pc.send(test_rdp_host.reset(WIDTH, HEIGHT), test_rdp_host.create(1, WIDTH, HEIGHT), test_rdp_host.show(1),
                test_rdp_host.begin(1), test_rdp_host.fill(1, b"\1\2\3\0", (0, 0, WIDTH, HEIGHT)), test_rdp_host.end(1))
        self.view(session).until_picture(30)
        before = self.worker_mb()
        for i in range(2, 40):
            pc.send(test_rdp_host.create(i, 1000, 500), test_rdp_host.fill(i, b"\1\2\3\0", (0, 0, 1000, 500)))
            self.assertLess(self.worker_mb() - before, 250)
        self.until_ended(session, "pc-too-big")
        harness.until("the worker to end", lambda: not self.gateway.pids("worker"))

    def test_desktop_too_big(self):
        self.ends("vnc", self.behaving(huge_desktop), ["pc-too-big"], security="none")


if __name__ == "__main__":
    harness.main()
