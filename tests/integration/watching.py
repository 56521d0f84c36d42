"""People who look on at other people's sessions in tests."""

import json

import auditing
import desktops
import harness
import recordings
import stream

PURPOSE = "操作の確認のため"


class Watcher(stream.Viewer):
    """One who looks on."""

    def __init__(self, browser, session, **more):
        super().__init__(browser, session, path=f"/api/live/{session}/stream", **more)

    def until_sees(self, view, seconds=20):
        return self.until(f"the view {view}, not {self.watching}", lambda: self.watching and self.watching[1] == view, seconds)

    def until_is(self, state, seconds=20):
        return self.until(f"being {state}, not {self.watching}", lambda: self.watching and self.watching[0] == state, seconds)


class Case(auditing.Case):
    """kansa, an auditor, may look on and ask to take over; kanri is an administrator who may not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kanri = cls.gateway.add_user("kanri", role="admin")
        cls.admin = cls.kanri.login()
        cls.entitle("kansa", "control")
        cls.pc = cls.start(desktops.BareVnc(cls.gateway.dir / "bare"))
        cls.number = cls.host_for(cls.pc, "経理PC", security="none")

    @classmethod
    def entitle(cls, name, watch):
        cls.gateway.cli("user", "set", "--name", name, "--watch", watch)

    def ask(self, session, browser=None, person=None, **body):
        body = {"purpose": PURPOSE, "code": None, **body}
        if body["code"] is None:
            body["code"] = self.fresh_code(person or self.kansa)
        return (browser or self.auditor).post(f"/api/live/{session}/watch", body)

    def look(self, session, browser=None, person=None, **more):
        answer = self.ask(session, browser, person)
        self.assertEqual((answer.status, answer.json), (200, {"stream": f"/api/live/{session}/stream"}), answer)
        watcher = Watcher(browser or self.auditor, session, **more)
        self.addCleanup(watcher.close)
        return watcher

    def live(self, session, browser=None):
        answer = (browser or self.auditor).get("/api/live")
        self.assertEqual(answer.status, 200, answer)
        return next((s for s in answer.json["sessions"] if s["id"] == session), None)

    def logged(self, event, session):
        """The newest entry's detail, as soon as it is there."""
        return json.loads(harness.until(f"{event} in the log", lambda: self.log_of(event, session))[-1]["detail"])

    def refused(self, answer, status, error, session, field=None):
        self.assertEqual((answer.status, answer.json["error"], answer.json.get("field")), (status, error, field), answer)
        self.assertIn(f'"error":"{error}"', self.log_of("session-watch-refused", session)[-1]["detail"])

    def events(self, session):
        """What the recording says has happened, in its order."""
        path = self.file_of(session)

        def ended():
            chunks = recordings.read(path, self.gateway.auditor[1])[0]
            found = [json.loads(payload) for _, payload in recordings.payloads(chunks, recordings.EVENT)]
            return found if found and found[-1]["event"] == "ended" else None

        return harness.until("the recording's end", ended)
