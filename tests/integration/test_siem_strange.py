#!/usr/bin/env python3
"""Collectors that close too early: what they did not read to the end comes again."""

import os
import signal

import collectors
import harness


def close_in_a_record(collector, tls):
    tls.recv(100)
    tls.close()


def close_after_a_reset(collector, tls):
    tls.recv(100)
    collector.reset(tls)


def close_at_once(collector, tls):
    tls.close()


def say_goodbye_unread(collector, tls):
    """close_notify and FIN before a byte was read; then the kernel alone listens."""
    tls.setblocking(False)
    try:
        tls.unwrap()
    except OSError:
        pass
    tls.close()


def leave_unread(collector, plain):
    """Its end came before anything was sent, so it says nothing of what was read."""


class Strange(collectors.Case):
    timeout = 1

    def test_what_is_not_read_comes_again(self):
        self.happen(2)
        for serve in (close_in_a_record, close_after_a_reset, close_at_once, say_goodbye_unread, leave_unread):
            with self.subTest(serve.__name__):
                kind = collectors.Leaving if serve == leave_unread else collectors.Strange
                self.expect_nothing_delivered(kind(self.port, self.pair, serve), "closed")
        self.killed_before_the_end()
        self.expect_all(collectors.read_all)

    def killed_before_the_end(self):
        """The collector has a batch, and sekisho-siem dies before it knows: it comes again, as the same."""
        read = []

        def take(collector, tls):
            read.append(tls.recv(65536))
            os.kill(self.gateway.pids("siem")[0], signal.SIGKILL)
            collectors.read_all(collector, tls)

        collector = collectors.Strange(self.port, self.pair, take)
        try:
            harness.until("sekisho-siem to die", lambda: collector.served)
            self.assertEqual(self.status()["delivered"], 0)
        finally:
            collector.stop()
        self.assertEqual(collectors.numbers_in(read[0])[0], 1)


if __name__ == "__main__":
    harness.main()
