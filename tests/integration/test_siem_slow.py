#!/usr/bin/env python3
"""Collectors that are slow, stay silent or talk: only what they read to the end counts."""

import socket
import time

import collectors
import harness


def read_slowly(collector, tls):
    data = b""
    while chunk := tls.recv(97):
        data += chunk
    collector.got += collectors.numbers_in(data)
    tls.close()


def read_nothing(collector, tls):
    """Stays open."""


def never_end(collector, tls):
    data = b""
    while chunk := tls.recv(65536):
        data += chunk
        if len(collectors.numbers_in(data)):
            return


def talk(collector, tls):
    tls.sendall(b"x" * 200000)


def drip(collector, tls):
    """Never fails: there is always a little progress."""
    while True:
        tls.sendall(b"x")
        time.sleep(0.2)


class Mute(collectors.Strange):
    """Takes the connection, and says nothing in the handshake."""

    def greet(self, plain):
        while plain.recv(65536):
            pass
        raise OSError


class Dripping(collectors.Strange):
    """Says its part of the handshake a byte at a time, for ever."""

    def greet(self, plain):
        plain.sendall(b"\x16\x03\x03\x40\x00")
        while True:
            plain.sendall(b"\x02")
            time.sleep(0.2)


class Deaf:
    """A machine that answers no connection: its queue is full."""

    def __init__(self, port):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(0)
        self.waiting = []
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            self.waiting.append(one)

    def stop(self):
        for one in (*self.waiting, self.listener):
            one.close()


class Slow(collectors.Case):
    timeout = 1

    def test_a_connection_that_is_not_made_is_given_up(self):
        self.happen(1)
        collector = Deaf(self.port)
        try:
            harness.until(lambda: f"it to be given up: {self.status()}", lambda: self.status().get("said") == "Connection timed out", 60)
            self.trouble("connect")
        finally:
            collector.stop()
        for kind in (Mute, Dripping):
            with self.subTest(kind.__name__):
                self.expect_nothing_delivered(kind(self.port, self.pair, None), "slow")

    def test_only_what_is_read_to_its_end_counts(self):
        self.happen(2)
        for serve, kinds in ((read_nothing, ("slow", "unconfirmed")), (never_end, ("unconfirmed",)),
                             (talk, ("tls", "closed", "unconfirmed"))):
            with self.subTest(serve.__name__):
                self.expect_nothing_delivered(collectors.Strange(self.port, self.pair, serve), *kinds)
        self.expect_all(read_slowly)

    def test_without_an_end_is_said_and_given_up(self):
        self.happen(1)
        collector = collectors.Strange(self.port, self.pair, collectors.read_all)
        try:
            self.caught_up()
        finally:
            collector.stop()
        self.happen(1)
        collector = collectors.Strange(self.port, self.pair, drip)
        try:
            harness.until("the log to warn", lambda: "error=hangs" in self.gateway.log())
            self.trouble("unconfirmed")
        finally:
            collector.stop()


if __name__ == "__main__":
    harness.main()
