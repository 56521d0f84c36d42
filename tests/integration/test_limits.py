#!/usr/bin/env python3
"""Every foreign byte has a limit: headers, bodies, WebSocket messages; and what a web page elsewhere may not do."""

import socket
import ssl
import time

import client
import desktops
import harness
import sessions
import stream


class Limits(sessions.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.BareVnc(cls.gateway.dir / "pc"))
        cls.number = cls.host_for(cls.pc, "pc", security="none")

    def tearDown(self):
        self.assertEqual(self.browser.get("/api/me").status, 200, "the gateway or the login did not survive")
        super().tearDown()

    def refused(self, status, code, **kw):
        answer = self.browser.post("/api/sessions", **kw)
        self.assertEqual((answer.status, answer.json["error"]), (status, code))

    def test_body_too_big(self):
        self.refused(413, "too-big", raw=b'{"host":1,"layout":"' + b"a" * 17000 + b'"}')

    def test_bodies_that_are_no_answer_to_anything(self):
        for raw in (b"", b"[]", b"null", b"{", b'{"host":1', b'{"host":"1"}', b'{"host":-1,"width":1280,"height":800}',
                    b'{"a":' * 20 + b"1" + b"}" * 20, b"\xff\xfe{}", b'{"host":1e99}', b'{"host":1,"host":2}'):
            with self.subTest(raw=raw[:30]):
                self.refused(400, "invalid", raw=raw)

    def test_a_wrong_value_is_named(self):
        answer = self.browser.open_session(self.number, width=100000)
        self.assertEqual((answer.status, answer.json), (400, {"error": "invalid", "field": "width"}))

    def test_header_too_big(self):
        self.dropped(b"GET /api/office HTTP/1.1\r\nHost: localhost:%d\r\nX-Long: %s\r\n\r\n"
                     % (self.gateway.port, b"a" * 20000))

    def test_too_many_headers(self):
        lines = b"".join(b"X-%d: %s\r\n" % (i, b"a" * 50) for i in range(2000))
        self.dropped(b"GET /api/office HTTP/1.1\r\nHost: localhost:%d\r\n%s\r\n" % (self.gateway.port, lines))

    def dropped(self, raw):
        """Closed or refused, never answered with 200."""
        connection = self.browser.connect()
        try:
            connection.sendall(raw)
            answer = connection.recv(4096)
        except (ConnectionError, ssl.SSLError):
            answer = b""
        finally:
            connection.close()
        self.assertNotIn(b" 200 ", answer.split(b"\r\n")[0])

    def test_who_is_slow_is_cut(self):
        """With the handshake, with a header, with a body; all at once, as each takes its time."""
        begin = time.monotonic()
        silent = socket.create_connection(("127.0.0.1", self.gateway.port), 20 * harness.PATIENCE)
        header, body = self.browser.connect(), self.browser.connect()
        header.sendall(b"GET /api/office HTTP/1.1\r\n")
        body.sendall(f"POST /api/logout HTTP/1.1\r\nHost: localhost:{self.gateway.port}\r\n"
                     f"Origin: https://localhost:{self.gateway.port}\r\nContent-Type: application/json\r\n"
                     "Content-Length: 1000\r\n\r\n".encode())
        with self.assertRaises((ConnectionError, ssl.SSLError)):
            while time.monotonic() - begin < 40 * harness.PATIENCE:
                body.sendall(b" ")
                time.sleep(0.25)
        for connection in (silent, header):
            try:
                self.assertNotIn(b" 200 ", connection.recv(4096))
            except (ConnectionError, ssl.SSLError):
                pass
        self.assertLess(time.monotonic() - begin, 25 * harness.PATIENCE)
        for connection in (silent, header, body):
            connection.close()

    def test_other_sites_may_not(self):
        for headers in ({"Origin": "https://evil.example"}, {"Origin": None}, {"Origin": "null"},
                        {"Content-Type": "text/plain"}, {"Host": "evil.example"}):
            with self.subTest(headers=headers):
                answer = self.browser.post("/api/logout", headers=headers)
                self.assertIn(answer.status, (400, 403, 415, 421), answer)

    def test_websocket_only_from_our_page(self):
        session = self.open(self.number)
        path = f"/api/sessions/{session}/stream"
        for wrong in ({"origin": "https://evil.example"}, {"origin": None}, {"protocol": "other"}, {"protocol": None}):
            with self.subTest(wrong=wrong), self.assertRaises((client.Refused, client.Closed, ConnectionError,
                                                               ssl.SSLError)):
                self.browser.websocket(path, **wrong).receive(5)

    def test_websocket_without_login(self):
        session = self.open(self.number)
        with self.assertRaises((client.Refused, client.Closed)) as refused:
            self.browser.websocket(f"/api/sessions/{session}/stream", cookie=False).receive(5)
        self.assertIn(getattr(refused.exception, "status", None) or refused.exception.code, (401, 4001))

    def broken_by(self, data, **kw):
        """The gateway ends the stream; the session itself stays."""
        session = self.open(self.number)
        viewer = self.view(session).until_picture()
        viewer.socket.send(data, **kw)
        self.assertIn(viewer.until_closed(), (4002, 1002, 1003, 1009, None))
        harness.until("detached", lambda: self.shown(session)["state"] == "detached")
        self.view(session).until_picture()

    def test_websocket_message_too_big(self):
        self.broken_by(b"\x03\x09" + b"a" * 5000)

    def test_websocket_text(self):
        self.broken_by(b"hello", opcode=1)

    def test_websocket_empty(self):
        self.broken_by(b"")

    def test_message_of_the_other_direction(self):
        self.broken_by(stream.encode("pong", number=1))

    def test_message_cut_short(self):
        self.broken_by(stream.encode("pointer", x=1, y=1, buttons=0, wheel_x=0, wheel_y=0)[:-1])

    def test_unknown_message(self):
        self.broken_by(b"\xff\x09\0\0")

    def test_acknowledgement_of_a_frame_never_sent(self):
        self.broken_by(stream.encode("ack", sequence=4000000000, decode_us=1))

    def test_slow_viewer_gets_the_newest_state(self):
        """Without acknowledgements the worker stops after two frames; with them it sends what is true then."""
        viewer = self.view(self.open(self.number), acknowledge=False).until_picture()
        for colour in ("#111111", "#222222", "#333333", "#444444", "#555555"):
            self.pc.x.run("xsetroot", "-solid", colour)
            while viewer.step(0.3):
                pass
        self.assertLessEqual(viewer.screen.frames, 2)
        viewer.acknowledge = True
        for sequence in range(1, viewer.screen.frames + 1):
            viewer.send("ack", sequence=sequence, decode_us=1000)
        viewer.until_equal(self.pc.x)


class SignsOfLife(sessions.Case):
    """A viewer whose network is gone without a word must not hold its session's place for long."""

    settings = {"limits_ping_seconds": 1}

    def opcode(self, raw, seconds):
        """Of the next frame, which is not answered."""
        raw.sock.settimeout(seconds)
        raw._need(2)
        first, second = raw._take(2)
        length = second & 127
        if length > 125:
            length = int.from_bytes(raw._take_exactly(2 if length == 126 else 8), "big")
        raw._need(length)
        raw._take(length)
        return first & 15

    def test_who_answers_stays_and_who_does_not_is_cut(self):
        pc = self.start(desktops.BareVnc(self.gateway.dir / "pc"))
        session = self.open(self.host_for(pc, "pc", security="none"))
        viewer = self.view(session).until_picture()
        begin = time.monotonic()
        while time.monotonic() - begin < 5:
            viewer.step(0.5)
        self.assertEqual(self.shown(session)["state"], "active")
        seen = []
        begin = time.monotonic()
        with self.assertRaises((client.Closed, ConnectionError, ssl.SSLError)):
            while time.monotonic() - begin < 8 * harness.PATIENCE:
                seen.append(self.opcode(viewer.socket, 8 * harness.PATIENCE))
        self.assertIn(9, seen)
        self.assertLess(time.monotonic() - begin, 6 * harness.PATIENCE)
        harness.until("detached", lambda: self.shown(session)["state"] == "detached")


class Rates(harness.Case):
    settings = {"limits_requests_per_minute": 20, "limits_connections_per_address": 4}

    def test_requests_in_a_minute(self):
        browser = self.gateway.add_user("sato").client()
        answers = [browser.get("/api/office") for _ in range(30)]
        self.assertEqual(answers[0].status, 200)
        self.assertEqual(answers[-1].status, 429)
        self.assertGreater(answers[-1].json["retry_s"], 0)

    def test_connections_of_one_address(self):
        raw = [socket.create_connection(("127.0.0.1", self.gateway.port), 5) for _ in range(8)]
        closed = 0
        for connection in raw[4:]:
            connection.settimeout(3 * harness.PATIENCE)
            try:
                closed += connection.recv(1) == b""
            except ConnectionError:
                closed += 1
            except TimeoutError:
                pass
        for connection in raw:
            connection.close()
        self.assertEqual(closed, 4)


if __name__ == "__main__":
    harness.main()
