"""What a browser does, small enough to break the rules with: HTTPS with a device certificate, TOTP, WebSocket."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import ssl
import struct
import time

# A wait ends with what it waits for, so a long one costs only failures; a busy machine needs more than an idle one.
PATIENCE = float(os.environ.get("SEKISHO_PATIENCE", "3"))
COOKIE = "__Host-sekisho"
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3


class Totp:
    """Codes of one secret (RFC 6238); each is used once, as the gateway demands."""

    def __init__(self, secret):
        self.secret = secret
        self.key = base64.b32decode(secret.replace(" ", "").upper() + "=" * (-len(secret.replace(" ", "")) % 8))
        self.last = int(time.time()) // 30  # the step at which it was set up cannot log in

    def at(self, step):
        digest = hmac.new(self.key, struct.pack(">Q", step), hashlib.sha1).digest()
        offset = digest[-1] & 15
        return "%06d" % ((struct.unpack(">I", digest[offset:offset + 4])[0] & 0x7FFFFFFF) % 1000000)

    def code(self):
        """The oldest code that is still good; waits when those of the next 30 seconds are used up."""
        while True:
            now = int(time.time()) // 30
            step = max(self.last + 1, now)
            if step <= now + 1:
                self.last = step
                return self.at(step)
            time.sleep(30 - time.time() % 30)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


def context(ca, certificate=None, key=None, version=None):
    """A TLS context that trusts the office CA only."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.load_verify_locations(ca)
    tls.set_alpn_protocols(["http/1.1"])
    if certificate:
        tls.load_cert_chain(certificate, key)
    if version:
        tls.maximum_version = version
    return tls


class Client:
    """One browser: a device's certificate, a cookie, requests."""

    def __init__(self, port, tls, name="localhost", source="127.0.0.1", address="127.0.0.1"):
        self.port, self.tls, self.name, self.source, self.address = port, tls, name, source, address
        self.cookie = None
        self.cookies_seen = []
        self.connection = None

    @property
    def origin(self):
        return f"https://{self.name}:{self.port}"

    def dial(self, timeout):
        """A TCP connection; from an address of our own where there are many."""
        source = (self.source, 0) if self.address == "127.0.0.1" else None
        return socket.create_connection((self.address, self.port), timeout, source)

    def connect(self, timeout=20):
        raw = self.dial(timeout * PATIENCE)
        try:
            return self.tls.wrap_socket(raw, server_hostname=self.name)
        except BaseException:
            raw.close()
            raise

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def request(self, method, path, body=None, headers=None, raw=None):
        """One request; on a kept connection that was closed meanwhile it is sent once more on a new one."""
        sent = {"Host": f"{self.name}:{self.port}"}
        data = raw
        if method != "GET":
            sent["Origin"] = self.origin
            sent["Content-Type"] = "application/json"
            if data is None:
                data = json.dumps(body if body is not None else {}).encode()
        if self.cookie:
            sent["Cookie"] = f"{COOKIE}={self.cookie}"
        for key, value in (headers or {}).items():
            sent.pop(key, None)
            if value is not None:
                sent[key] = value
        for attempt in (1, 2):
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPConnection(self.name, self.port)
                self.connection.sock = self.connect()
            try:
                self.connection.request(method, path, data, sent)
                response = self.connection.getresponse()
                content = response.read()
                break
            except (http.client.HTTPException, OSError):
                self.close()
                if fresh or attempt == 2:
                    raise
        if response.will_close:
            self.close()
        for header in response.headers.get_all("Set-Cookie") or []:
            name, _, value = header.split(";")[0].partition("=")
            if name == COOKIE:
                self.cookie = value or None
                if value:
                    self.cookies_seen.append(value)
        return Answer(response.status, response.headers, content)

    def get(self, path, **kw):
        return self.request("GET", path, **kw)

    def post(self, path, body=None, **kw):
        return self.request("POST", path, body, **kw)

    def delete(self, path, **kw):
        return self.request("DELETE", path, **kw)

    def login(self, account, password, totp):
        """Both steps; fails the test when one is refused."""
        answer = self.post("/api/login", {"account": account, "password": password})
        assert answer.status == 200 and answer.json["next"] == "totp", answer
        answer = self.post("/api/login/totp", {"code": totp.code()})
        assert answer.status == 200, answer
        return answer.json

    def open_session(self, host, width=1280, height=800, **more):
        return self.post("/api/sessions", {"host": host, "width": width, "height": height, "layout": "ja", **more})

    def websocket(self, path, **kw):
        return WebSocket(self, path, **kw)


class Refused(Exception):
    """The upgrade was answered with an ordinary HTTP answer."""

    def __init__(self, status, text):
        super().__init__(f"upgrade refused: {status} {text}")
        self.status = status


class Closed(Exception):
    """The peer closed; code is the WebSocket close code, or None without one."""

    def __init__(self, code):
        super().__init__(f"closed with {code}")
        self.code = code


class WebSocket:
    """RFC 6455, client side, without extensions."""

    def __init__(self, client, path, protocol="sekisho.1", origin=True, timeout=20, cookie=True):
        self.sock = client.connect(timeout)
        self.buffer = b""
        self.code = None
        self.kind, self.partial = None, b""
        key = base64.b64encode(os.urandom(16))
        lines = [f"GET {path} HTTP/1.1", f"Host: {client.name}:{client.port}", "Upgrade: websocket",
                 "Connection: Upgrade", f"Sec-WebSocket-Key: {key.decode()}", "Sec-WebSocket-Version: 13"]
        if protocol:
            lines.append(f"Sec-WebSocket-Protocol: {protocol}")
        if origin:
            lines.append(f"Origin: {client.origin if origin is True else origin}")
        if cookie and client.cookie:
            lines.append(f"Cookie: {COOKIE}={client.cookie}")
        self.sock.sendall("\r\n".join(lines + ["", ""]).encode())
        head = self._until(b"\r\n\r\n").decode("latin-1")
        status = int(head.split(" ")[1])
        if status != 101:
            self.sock.close()
            raise Refused(status, head)
        expected = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        assert f"sec-websocket-accept: {expected}".lower() in head.lower(), head
        assert not protocol or f"sec-websocket-protocol: {protocol}" in head.lower(), head

    def _agree(self, data):
        """The rest of the closing handshake: the server is told, and closes the connection first (§7.1.1)."""
        try:
            self.send(data, 8)
            self.sock.settimeout(2)
            while self.sock.recv(1 << 18):
                pass
        except (Closed, OSError):
            pass
        self.sock.close()

    def _fill(self):
        try:
            data = self.sock.recv(1 << 18)
        except (ConnectionError, ssl.SSLEOFError) as error:
            raise Closed(self.code) from error
        except OSError:
            if self.sock.fileno() >= 0:
                raise
            raise Closed(self.code) from None
        if not data:
            raise Closed(self.code)
        self.buffer += data

    def _until(self, mark):
        while mark not in self.buffer:
            self._fill()
        head, _, self.buffer = self.buffer.partition(mark)
        return head

    def _take(self, count):
        self._need(count)
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def send(self, data, opcode=2, final=True, mask=True):
        head = bytes([opcode | (0x80 if final else 0)])
        flag = 0x80 if mask else 0
        if len(data) < 126:
            head += bytes([flag | len(data)])
        elif len(data) < 65536:
            head += struct.pack(">BH", flag | 126, len(data))
        else:
            head += struct.pack(">BQ", flag | 127, len(data))
        if mask:
            key = os.urandom(4)
            stream = int.from_bytes((key * (len(data) // 4 + 1))[:len(data)], "big")
            data = key + (int.from_bytes(data, "big") ^ stream).to_bytes(len(data), "big")
        try:
            self.sock.sendall(head + data)
        except (ConnectionError, ssl.SSLEOFError) as error:
            raise Closed(self.code) from error

    def receive(self, timeout=None):
        """The next whole message as (opcode, bytes); answers pings; raises Closed or TimeoutError."""
        if timeout is not None:
            self.sock.settimeout(timeout)
        while True:
            self._need(2)
            first, second = self.buffer[0], self.buffer[1]
            length, extra = second & 127, 0
            if length > 125:
                extra = 2 if length == 126 else 8
                self._need(2 + extra)
                length = int.from_bytes(self.buffer[2:2 + extra], "big")
            self._need(2 + extra + length)
            self._take(2 + extra)
            data = self._take(length)
            opcode = first & 15
            if opcode == 8:
                self.code = struct.unpack(">H", data[:2])[0] if len(data) >= 2 else None
                self._agree(data)
                raise Closed(self.code)
            if opcode == 9:
                self.send(data, 10)
                continue
            if opcode == 10:
                continue
            self.kind = opcode if opcode else self.kind
            self.partial += data
            if first & 0x80:
                whole, self.partial = self.partial, b""
                return self.kind, whole

    def _need(self, count):
        """Nothing is taken from the buffer until a whole frame is there, so that a timeout loses no byte."""
        while len(self.buffer) < count:
            self._fill()

    def drop(self):
        """Cuts the connection without a word, as a lost network does."""
        self.sock.close()

    def close(self, code=1000):
        try:
            self.send(struct.pack(">H", code), 8)
        except (Closed, OSError):
            pass
        self.sock.close()
