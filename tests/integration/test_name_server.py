#!/usr/bin/env python3
"""A PC with a name, and a name server that never answers: the person hears of it in time all the same."""

import fcntl
import os
import socket
import struct
import sys
import time

import harness
import sessions

CONNECT_SECONDS = 3
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
INSIDE = "SEKISHO_TEST_INSIDE"

# A mount namespace with name service files of its own; this machine's stay as they are.
ENTER = """set -e
mount -t tmpfs own /mnt
echo nameserver 127.0.0.1 >/mnt/resolv.conf
echo hosts: files dns >/mnt/nsswitch.conf
for file in resolv.conf nsswitch.conf; do mount --bind /mnt/$file /etc/$file; done
exec "$@"
"""


class NameServer(sessions.Case):
    settings = {"session_connect_seconds": CONNECT_SECONDS}

    @classmethod
    def setUpClass(cls):
        if INSIDE not in os.environ:
            harness.skip("needs root and a name server of its own")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))
        super().setUpClass()

    def ends(self, protocol, server):
        number = self.gateway.add_host(f"far-{protocol}", protocol, 5900, address=f"{protocol}.office.test",
                                       user="sato", password="whatever", pc_user="x")
        begin = time.monotonic()
        self.until_ended(self.open(number), "pc-timeout", CONNECT_SECONDS + 2)
        self.assertGreater(time.monotonic() - begin, CONNECT_SECONDS - 1)
        self.assertIn(protocol.encode() + b"\x06office", server.recv(512))
        harness.until("the worker to end", lambda: not self.gateway.pids("worker"), 5)

    def test_silent(self):
        for protocol in ("vnc", "rdp"):
            with self.subTest(protocol), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
                server.settimeout(1 * harness.PATIENCE)
                server.bind(("127.0.0.1", 53))
                self.ends(protocol, server)


if __name__ == "__main__":
    if harness.ROOT and INSIDE not in os.environ and os.path.exists("/etc/resolv.conf"):
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--net", "sh", "-c", ENTER, "sh", sys.executable, *sys.argv])
    harness.main()
