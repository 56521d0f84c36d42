#!/usr/bin/env python3
"""Which collectors are believed, and what one that asks for a certificate gets: Debian's rsyslog."""

import shutil
import subprocess

import collectors
import harness


class Trust(collectors.Case):
    subject = "log.example.jp"
    settings = {"siem_name": subject}

    def test_who_is_believed(self):
        # rsyslog with the other driver, TLS 1.3, and a certificate that is over
        collector = self.rsyslog(driver="ossl")
        self.caught_up()
        other = collectors.Authority(self.gateway.dir, "other")
        ours = self.authority
        for pair, ca, kind in ((other.issue("server", subject=self.subject), other.cert, "untrusted"),
                               (ours.issue("over", days=-1, subject=self.subject), ours.cert, "expired"),
                               (ours.issue("name", subject="elsewhere"), ours.cert, "name"),
                               (ours.issue("part", names="DNS:l*.example.jp"), ours.cert, "name"),
                               (ours.issue("common", subject=self.subject, names=""), ours.cert, "name")):
            collector.stop()
            self.happen()
            self.trouble("connect")
            before = len(collector.lines())
            collector.configure(pair, ca, driver="ossl")
            collector.start()
            status = self.trouble(kind)
            self.assertTrue(status["hint"] and status["hint_ja"])
            self.assertEqual(len(collector.lines()), before)
        self.asks_for_ours(collector)
        newest = self.caught_up()
        self.assertEqual(collector.numbers(), list(range(1, newest + 1)))

    def asks_for_ours(self, collector):
        """A collector that asks for a certificate gets none, and a batch never counts; then it gets one."""
        collector.stop()
        collector.configure(self.pair, self.authority.cert, driver="ossl", client="x509/certvalid")
        collector.start()
        self.trouble("refused", "closed", "tls")
        self.authority.install(self.folder, self.authority.issue("gateway", subject="gateway"))
        self.caught_up()
        text = subprocess.run([self.gateway.bin / "sekisho", "--config", self.gateway.settings_path, "siem", "status"],
                              capture_output=True, text=True, check=True, env=harness.environment(LANG="ja_JP.UTF-8")).stdout
        self.assertRegex(text, r"状態: すべて送信済み\n届いた最後の項目: \d+\n待っている項目の数: 0\n届いた日時: 20")


if __name__ == "__main__":
    if not shutil.which("rsyslogd", path="/usr/sbin"):
        raise SystemExit(harness.SKIPPED)
    harness.main()
