"""Opening and playing recordings in tests."""

import sqlite3
import struct
import time

import client
import harness
import sessions
import stream

PASSPHRASE = "iwato-no-kagi-58-suzu"
VERDICTS, ERRORS = stream.constants("verdict"), stream.constants("play_error")
ROW = struct.Struct("<QQQIIH")
HEAD = struct.Struct("<8s16sQQQ32sI")


class Player:
    """The other end of a recording's stream."""

    def __init__(self, browser, recording):
        self.recording = bytes.fromhex(recording)
        self.socket = browser.websocket(f"/api/recordings/{recording}/stream")
        self.socket._agree = lambda data: self.socket.sock.close()  # the gateway's close needs no answer here
        self.info = self.rows = None

    def send(self, name, **values):
        self.socket.send(stream.encode(name, **values))

    def receive(self):
        kind, data = self.socket.receive(20)
        assert kind == 2, "not a binary message"
        return stream.decode(data)

    def start(self):
        self.send("play_start", version=1)
        name, self.info = self.receive()
        assert name == "play_info" and self.info["version"] == 1 and self.info["session"] == self.recording
        self.rows = []
        while len(self.rows) < self.info["chunks"]:
            name, table = self.receive()
            assert name == "play_table" and table["first"] == len(self.rows)
            self.rows += ROW.iter_unpack(table["rows"])
        return self

    @property
    def verdict(self):
        return VERDICTS[self.info["verdict"]]

    def read(self, sequence):
        """A chunk's plaintext, or the error's name."""
        self.send("play_chunk", sequence=sequence)
        plain, total = b"", 1
        while len(plain) < total:
            name, values = self.receive()
            if name == "play_error":
                return ERRORS[values["error"]]
            assert (name, values["sequence"], values["offset"]) == ("play_data", sequence, len(plain))
            plain, total = plain + values["data"], values["total"]
        return plain

    def close_code(self):
        """Reads to the end; the last play_error on the way, and the close code."""
        error = None
        try:
            while True:
                name, values = self.receive()
                if name == "play_error":
                    error = ERRORS[values["error"]]
        except client.Closed as closed:
            return error, closed.code

    def close(self):
        self.socket.drop()


class Case(sessions.Case):
    """With the house key made, and kansa, an auditor, logged in as self.auditor."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway.cli("vault", "init", password=PASSPHRASE)
        cls.kansa = cls.gateway.add_user("kansa", role="auditor")
        cls.auditor = cls.kansa.login()

    @classmethod
    def fresh_code(cls, person):
        """A code that counts as unused: two logins and openings in 30 seconds would else wait for the next."""
        with sqlite3.connect(cls.gateway.dir / "state" / "broker" / "sekisho.db", timeout=30) as db:
            db.execute("UPDATE account SET totp_last = 0, failures = 0, next_try_ms = 0 WHERE name = ?", (person.name,))
            db.execute("UPDATE device SET failures = 0, next_try_ms = 0")
        return person.totp.at(int(time.time()) // 30)

    def ask(self, recording, browser=None, person=None, **body):
        body = {"purpose": "月例の点検", "code": None, **body}
        if body["code"] is None:
            body["code"] = self.fresh_code(person or self.kansa)
        return (browser or self.auditor).post(f"/api/recordings/{recording}/open", body)

    def open_recording(self, recording, **more):
        answer = self.ask(recording, **more)
        self.assertEqual((answer.status, answer.json), (200, {"stream": f"/api/recordings/{recording}/stream"}), answer)

    def play(self, recording, **more):
        self.open_recording(recording, **more)
        player = Player(more.get("browser") or self.auditor, recording)
        self.addCleanup(player.close)
        return player.start()

    def recordings(self, browser=None):
        answer = (browser or self.auditor).get("/api/recordings")
        self.assertEqual(answer.status, 200, answer)
        return answer.json["recordings"]

    def log_of(self, event, recording=None):
        """Entries of the audit log of that event, the newest last."""
        rows = self.gateway.rows("audit", "list", "--last", "200")
        return sorted((r for r in rows if r["event"] == event and recording in (None, r["session"])),
                      key=lambda r: r["seq"])

    def refused(self, answer, status, error, recording=None, field=None):
        self.assertEqual((answer.status, answer.json["error"], answer.json.get("field")), (status, error, field), answer)
        entry = self.log_of("recording-refused", recording)[-1]
        self.assertIn(f'"error":"{error}"', entry["detail"])
        return entry

    def record(self, host):
        """A session that has shown something, been recorded and ended."""
        viewer = self.desktop(host)
        session = viewer.session
        viewer.send("pointer", x=300, y=200, buttons=0, wheel_x=0, wheel_y=0)
        viewer.close()
        self.browser.delete(f"/api/sessions/{session}")
        harness.until("the recording to end", lambda: self.recording(session)["state"] != "open")
        return session

    def recorded(self):
        """One for all tests of the class that leave its file alone."""
        if not hasattr(type(self), "shared"):
            type(self).shared = self.record(self.number)
        return self.shared

    def recording(self, session):
        return next(r for r in self.recordings() if r["id"] == session)

    def file_of(self, recording):
        return self.gateway.dir / "state" / "recordings" / f"{recording}.skr"
