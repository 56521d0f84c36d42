#!/usr/bin/env python3
"""A slow way to the gateway: a network namespace at the end of two tun(4) devices, and between them this program, which
lets packets through at a rate, late, and with a buffer of so many bytes, as a home router has. TCP at both ends is the
kernel's own; no module for shaping (netem) is needed.

    slowlink.py NAME NEAR FAR BITS_PER_SECOND ONE_WAY_MS BUFFER_BYTES       as root, until its input ends
"""

import collections
import ctypes
import fcntl
import os
import pathlib
import select
import socket
import struct
import subprocess
import sys
import threading
import time

import harness

TUNSETIFF, IFF_TUN, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 1, 0x1000, 0x40000000


def enter(path):
    """Puts the calling thread into a network namespace."""
    with open(path) as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def tun(name):
    """A new device in the thread's namespace."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


class Direction:
    """Packets from one device to the other."""

    def __init__(self, source, target, rate, delay, room):
        self.source, self.target, self.rate, self.delay, self.room = source, target, rate / 8, delay, room
        self.free = 0.0  # when the line has sent what waits
        self.waiting = collections.deque()  # (leaves the line, arrives, bytes)

    def take(self, now):
        while True:
            try:
                packet = os.read(self.source, 65536)
            except BlockingIOError:
                return
            if (self.free - now) * self.rate + len(packet) > self.room:
                continue
            self.free = max(self.free, now) + len(packet) / self.rate
            self.waiting.append((self.free + self.delay, packet))

    def give(self, now):
        """When the next packet arrives, or None."""
        while self.waiting and self.waiting[0][0] <= now:
            try:
                os.write(self.target, self.waiting.popleft()[1])
            except OSError:
                pass
        return self.waiting[0][0] if self.waiting else None


def run(name, near, far, rate, delay, room):
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        device = name[-12:]
        here = tun(device)
        enter(f"/run/netns/{name}")
        there = tun(device)
        for words in (["addr", "add", far, "peer", near, "dev", device], ["link", "set", device, "up"]):
            subprocess.run(["ip", *words], check=True)
        enter(f"/proc/{os.getppid()}/ns/net")
        for words in (["addr", "add", near, "peer", far, "dev", device], ["link", "set", device, "up"],
                      # What most machines use; it fills whatever buffer it finds.
                      ["route", "replace", f"{far}/32", "dev", device, "congctl", "cubic"]):
            subprocess.run(["ip", *words], check=True)
        print("ready", flush=True)
        forward(Direction(here, there, rate, delay, room), Direction(there, here, rate, delay, room))
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def forward(*directions):
    sources = [direction.source for direction in directions]
    wait = None
    while True:
        ready = select.select([*sources, sys.stdin], [], [], wait)[0]
        if sys.stdin in ready:
            return
        now = time.monotonic()
        for direction in directions:
            if direction.source in ready:
                direction.take(now)
        next_times = [at for at in (direction.give(now) for direction in directions) if at]
        wait = max(0, min(next_times) - time.monotonic()) if next_times else None


class Link:
    """The link for a test: near is the gateway's address, on this side; connect() comes from the other."""

    def __init__(self, megabits=2, one_way_ms=40, buffer=256 * 1024):
        harness.need_root()
        harness.need("ip")
        if not pathlib.Path("/dev/net/tun").exists():
            harness.skip("needs /dev/net/tun")
        number = os.getpid() % 16384 * 4
        self.near, self.far = (f"198.18.{number >> 8}.{(number & 255) + i}" for i in (1, 2))
        self.name = f"sekisho{os.getpid()}"
        self.child = subprocess.Popen([sys.executable, __file__, self.name, self.near, self.far, str(megabits * 1e6),
                                       str(one_way_ms / 1000), str(buffer)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.child.stdout.readline() != b"ready\n":
            said = self.child.stderr.read().decode(errors="replace")
            self.child.wait()
            harness.skip(f"this machine lets nobody make a network: {said[-300:]}")

    def connect(self, port, timeout=20):
        """A socket to the gateway over the slow way."""
        result = []

        def dial():
            enter(f"/run/netns/{self.name}")
            result.append(socket.create_connection((self.near, port), timeout))
            # As browsers do: else an acknowledgement waits for the one before.
            result[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        # A thread keeps its namespace: this one ends at once.
        thread = threading.Thread(target=dial)
        thread.start()
        thread.join()
        return result[0]

    def stop(self):
        self.child.stdin.close()
        self.child.wait(10)


if __name__ == "__main__":
    run(*sys.argv[1:4], *map(float, sys.argv[4:]))
