#!/usr/bin/env python3
"""A number that is shown while a session goes on: the session's recording says when."""

import json
import time

import desktops
import harness
import keeping
import recordings
import stream


class Mark(keeping.Case):
    def test_the_recording_says_when(self):
        gateway = self.gateway
        pc = self.start(desktops.BareVnc(gateway.dir / "bare"))
        host = gateway.add_host("経理PC", "vnc", pc.port, user="tsukau", security="none")
        record, purpose = self.collect()
        browser = self.browsers["tsukau"]
        session = browser.open_session(host).json["id"]
        viewer = stream.Viewer(browser, session).until_picture(30)
        before = time.time()
        number = self.answer("tsukau", "record reveal", {"record": record, "purpose": purpose, "code": self.people["tsukau"].totp.code()})
        shown = time.time()
        self.assertEqual(number["number"], keeping.NUMBER)
        viewer.close()
        browser.delete(f"/api/sessions/{session}")
        path = gateway.dir / "state" / "recordings" / f"{session}.skr"
        harness.until("the recording's end", lambda: [r for r in gateway.rows("recording", "list") if r["session"] == session
                                                      and r["recording"] == "ended"])
        chunks, _ = recordings.read(path, gateway.auditor[1])
        marks = [(kept, json.loads(data)) for kept, data in recordings.payloads(chunks, recordings.EVENT) if b'"vault-reveal"' in data]
        self.assertEqual([event for _, event in marks], [{"event": "vault-reveal", "record": record}])
        # To the second.
        at = chunks[0].time_ms / 1000 + (marks[0][0].at_us - chunks[0].start_us) / 1e6
        self.assertTrue(before - 1 < at < shown + 1, (before, at, shown))


if __name__ == "__main__":
    harness.main()
