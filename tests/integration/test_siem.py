#!/usr/bin/env python3
"""The audit log at a collector: Debian's rsyslog, over TLS."""

import json
import shutil

import collectors
import harness

# Attributes that OCSF 1.3.0 requires, of every event and of each class (schema.ocsf.io).
OF_ALL = ("activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid")
OF_CLASS = {2004: ["finding_info"], 3001: ["user"], 3002: ["user", "service"], 3004: ["entity"], 3005: ["user", "privileges"],
            6003: ["actor", "api", "src_endpoint"]}


class Delivery(collectors.Case):
    def test_each_entry_arrives_once(self):
        collector = self.rsyslog()
        self.happen(3)
        newest = self.caught_up()
        self.assertEqual(collector.numbers(), list(range(1, newest + 1)))
        self.assertEqual([e["unmapped"]["event"] for e in collector.events()][-1], "account-add")
        status = self.status()
        self.assertEqual((status["state"], status["waiting"], status.get("trouble")), ("sent", 0, None))
        self.assertIn({"part": "siem", "state": "sent"}, self.gateway.rows("status"))
        self.look_at_format(collector)
        self.stopped_orderly(collector)
        self.killed(collector)

    def look_at_format(self, collector):
        log = {row["seq"]: row for row in self.gateway.rows("audit", "list", "--last", "200")}
        for line in collector.lines():
            priority, when, host, app, process, message, data, text = collectors.HEADER.fullmatch(line).groups()
            event = json.loads(text)
            entry = log[event["metadata"]["sequence"]]
            self.assertTrue(line.isascii() and len(line) < 8192)
            self.assertEqual((host, app, process, message), ("localhost", "sekisho", "-", entry["event"]))
            self.assertEqual(data, f'[meta sequenceId="{entry["seq"]}"]')
            self.assertRegex(when, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
            self.assertEqual(int(priority) >> 3, 13)
            for name in (*OF_ALL, *OF_CLASS[event["class_uid"]]):
                self.assertIn(name, event)
            self.assertEqual(event["type_uid"], event["class_uid"] * 100 + event["activity_id"])
            self.assertEqual(event["category_uid"], event["class_uid"] // 1000)
            self.assertEqual(event["metadata"]["uid"], f"localhost/{entry['seq']}")
            self.assertEqual(json.loads(entry["detail"]), event["unmapped"]["detail"])
            self.assertEqual(event["time"] // 1000, entry["time"])

    def stopped_orderly(self, collector):
        """While it is away entries wait; then each arrives once."""
        for _ in range(2):
            collector.stop()
            self.happen(2)
            status = self.trouble("connect")
            self.assertEqual(status["state"], "behind")
            self.assertGreaterEqual(status["waiting"], 2)
            self.assertIn("firewalls", status["hint"])
            self.assertGreater(status["since"], 0)
            collector.start()
            newest = self.caught_up()
            self.assertEqual(collector.numbers(), list(range(1, newest + 1)))
        self.assertIn("event=siem-lags", self.gateway.log())
        self.assertIn("event=siem-goes-on", self.gateway.log())

    def killed(self, collector):
        """Nothing that it took is lost, when it writes before it reads on."""
        for _ in range(3):
            self.happen(1)
            collector.kill()
            self.happen(1)
            collector.start()
        newest = self.caught_up()
        self.assertEqual(set(collector.numbers()), set(range(1, newest + 1)))


if __name__ == "__main__":
    if not shutil.which("rsyslogd", path="/usr/sbin"):
        raise SystemExit(harness.SKIPPED)
    harness.main()
