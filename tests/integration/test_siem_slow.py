#!/usr/bin/env python3
"""Collectors that are slow, stay silent or talk: only what they read to the end counts."""

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


class Slow(collectors.Case):
    timeout = 1

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
