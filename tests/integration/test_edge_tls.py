#!/usr/bin/env python3
"""The rules of TLS and HTTP at the edge, with the real processes: which certificates get in, that neither SNI nor the
Host field leads from one listener to the other, and what libwebsockets must not be talked into."""

import re
import socket
import ssl
import subprocess
import time

import client
import desktops
import harness
import sessions
from forge import openssl

TCP_ESTABLISHED = 1  # of tcp_info.tcpi_state


def self_signed(folder):
    """A certificate that nobody signed, and its key."""
    cert, key = folder / "nobody.pem", folder / "nobody.key"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout", key,
            "-out", cert)
    return cert, key


def is_upgraded(answer):
    return answer.startswith(b"HTTP/1.1 101 ") and b"\r\n\r\n" in answer


def is_whole(answer):
    """Of an answer on a connection that goes on; one that is said to end is read to its end."""
    head, blank, body = answer.partition(b"\r\n\r\n")
    if not blank or b"\r\nconnection: close" in head.lower():
        return False
    length = re.search(rb"\r\ncontent-length: (\d+)", head.lower())
    return head.startswith(b"HTTP/1.1 304 ") or is_upgraded(answer) or bool(length) and len(body) >= int(length.group(1))


class Case(harness.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sato = cls.gateway.add_user("sato")

    def raw(self, data, device=True, port=None, sni="localhost", more=None, ends=False, seconds=10):
        """Sends bytes; what comes back until the end of the connection, or until a whole answer when that may go on."""
        pair = self.sato.devices["laptop"] if device is True else device
        tls = client.context(self.gateway.ca, *(pair or ()))
        tls.check_hostname = False
        raw = socket.create_connection(("127.0.0.1", port or self.gateway.port), seconds * harness.PATIENCE)
        connection = tls.wrap_socket(raw, server_hostname=sni)
        got = b""
        try:
            connection.sendall(data)
            while more or not (is_upgraded(got) if ends else is_whole(got)):
                part = connection.recv(65536)
                if not part:
                    return got + b"<end>"
                got += part
                if more:
                    connection.sendall(more)
                    more = None
            return got
        except (ConnectionError, ssl.SSLError):
            return got + b"<end>"
        finally:
            connection.close()

    def request(self, line, *fields, port=None):
        return "\r\n".join([line, f"Host: localhost:{port or self.gateway.port}", *fields, "", ""]).encode()

    def office(self, **kw):
        """200 for who gets in; None when the handshake refuses; else the status."""
        try:
            answer = self.raw(self.request("GET /api/office HTTP/1.1"), **kw)
        except (ConnectionError, ssl.SSLError):
            return None
        return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.1 ") else None

    def tearDown(self):
        self.assertEqual(self.office(), 200, "the edge did not survive")
        super().tearDown()


class Certificates(Case):
    """Which of them get in is in test_bad_certificates."""

    def test_revoked_while_others_stay_connected(self):
        """The new list reaches the edge without a restart and without ending anybody's connection."""
        lost = self.sato.enrol("lost")
        self.assertEqual(self.office(device=lost), 200)
        browser = self.sato.client("laptop")
        browser.get("/api/office")
        kept, edge = browser.connection.sock, self.gateway.pid("edge")
        self.gateway.cli("device", "revoke", "--id", self.sato.device_number("lost"))
        harness.until("the list to reach the edge", lambda: self.office(device=lost) is None, 5)
        self.assertEqual(browser.get("/api/office").status, 200)
        self.assertIs(browser.connection.sock, kept)
        self.assertEqual(self.gateway.pid("edge"), edge)
        browser.close()

    def test_only_our_cas_are_asked_for(self):
        """Or a browser offers every certificate that its user has. Some look for the direct issuer, some for the root."""
        ca = self.gateway.dir / "state" / "signer" / "ca" / "1"
        ours = {openssl("x509", "-in", ca / name, "-noout", "-subject").decode().removeprefix("subject=").strip()
                for name in ("root.crt", "issuing.crt")}
        for port in (self.gateway.port, self.gateway.enrol_port):
            out = openssl("s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", self.gateway.ca, "-cert",
                          self.sato.devices["laptop"][0], "-key", self.sato.devices["laptop"][1], input=b"").decode()
            names = out.split("Acceptable client certificate CA names\n")[1].split("\nRequested Signature")[0]
            self.assertEqual(set(names.strip().split("\n")), ours, names)

    def test_what_is_shown(self):
        """The gateway's certificate and the issuing CA's, on both ports; a root is for the client to have."""
        for port in (self.gateway.port, self.gateway.enrol_port):
            out = openssl("s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", self.gateway.ca, "-showcerts", "-cert",
                          self.sato.devices["laptop"][0], "-key", self.sato.devices["laptop"][1], "-verify_return_error", "-verify_hostname", "localhost", input=b"").decode()
            self.assertEqual(out.count("BEGIN CERTIFICATE"), 2, out)
            self.assertIn("Verify return code: 0 (ok)", out)

    def test_lists_of_the_issuing_cas(self):
        """The newest under its number too; no other number."""
        ca = self.gateway.dir / "state" / "signer" / "ca" / "1"
        port = self.gateway.enrol_port
        for path, status in (("/crl.der", b"200"), ("/crl/1.der", b"200"), ("/crl/2.der", b"404"), ("/crl/0.der", b"404")):
            answer = self.raw(self.request(f"GET {path} HTTP/1.1", port=port), device=None, port=port)
            self.assertTrue(answer.startswith(b"HTTP/1.1 " + status), (path, answer))
            if status == b"200":
                der = answer.split(b"\r\n\r\n", 1)[1].removesuffix(b"<end>")
                out = openssl("crl", "-inform", "DER", "-noout", "-text", "-CAfile", ca / "issuing.crt", input=der)
                self.assertIn(b"CRL Number", out)

    def test_who_is_refused_reads_why(self):
        """Also after sending a request, as browsers do. They forget to send no certificate only when they read it, and
        find the connection there."""
        def state():
            return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]

        for device in (None, self_signed(self.gateway.dir)):
            with self.subTest(device=device):
                tls = client.context(self.gateway.ca, *(device or ()))
                raw = socket.create_connection(("127.0.0.1", self.gateway.port), 20)
                with tls.wrap_socket(raw, server_hostname="localhost") as connection:
                    connection.sendall(self.request("GET / HTTP/1.1"))
                    with self.assertRaisesRegex(ssl.SSLError, "certificate required|unknown ca"):
                        connection.recv(1)
                    self.assertEqual(state(), TCP_ESTABLISHED)
                    harness.until("the end of the connection", lambda: state() != TCP_ESTABLISHED)

    def test_no_tickets(self):
        session = self.gateway.dir / "session.pem"
        for port, pair in ((self.gateway.port, self.sato.devices["laptop"]), (self.gateway.enrol_port, None)):
            device = ["-cert", pair[0], "-key", pair[1]] if pair else []
            host = f"Host: localhost:{port}\r\nConnection: close\r\n\r\n"
            out = openssl("s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", self.gateway.ca, "-ign_eof", *device,
                          "-sess_out", session, input=b"GET / HTTP/1.1\r\n" + host.encode()).decode(errors="replace")
            self.assertIn("New, TLSv1.3", out)
            self.assertNotIn("New Session Ticket", out)
            self.assertFalse(session.exists(), "a session to resume")


class Rotation(sessions.Case):
    """New issuing CAs, below the same root and below a new one, while people work."""

    def shown(self, port, ca):
        """Common names of the certificates that a new connection is shown; they are trusted."""
        out = openssl("s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", ca, "-showcerts", "-nameopt", "utf8,sep_comma_plus,sname",
                      "-verify_return_error", "-cert", self.sato.devices["laptop"][0], "-key", self.sato.devices["laptop"][1],
                      input=b"").decode()
        return [line.split("CN=")[1].strip() for line in out.splitlines() if " s:" in line]

    def enters(self, pair):
        browser = client.Client(self.gateway.port, client.context(self.gateway.ca, *pair))
        answer = browser.get("/api/office")
        browser.close()
        return answer.status == 200

    def test_connections_and_devices_go_on(self):
        pc = self.start(desktops.BareVnc(self.gateway.dir / "pc"))
        viewer = self.view(self.open(self.host_for(pc, "pc", security="none"))).until_picture()
        kept = self.sato.client("laptop")
        kept.get("/api/office")
        sock, edge = kept.connection.sock, self.gateway.pid("edge")
        devices = [self.sato.devices["laptop"]]
        for number, options in ((2, []), (3, ["--new-root"])):
            self.gateway.cli("ca", "rotate", *options)
            newest = self.gateway.dir / f"root-{number}.pem"
            newest.write_text(self.gateway.cli("ca", "show")["certificate"])
            for port in (self.gateway.port, self.gateway.enrol_port):
                harness.until("the new CA", lambda: self.named(port, newest, number), 10)
            self.gateway.ca.write_text(newest.read_text())
            devices.append(self.sato.enrol(f"device-{number}"))
            for pair in devices:
                self.assertTrue(self.enters(pair), pair)
            viewer.send("ping", number=number)
            viewer.until("an answer", lambda: number in viewer.pongs)
            self.assertEqual(kept.get("/api/office").status, 200)
        self.assertIs(kept.connection.sock, sock)
        self.assertEqual(self.gateway.pid("edge"), edge)
        kept.close()
        enrol = client.Client(self.gateway.enrol_port, client.context(self.gateway.ca))
        for number in (1, 2, 3):
            der = enrol.get(f"/crl/{number}.der").body
            issuing = self.gateway.dir / "state" / "signer" / "ca" / str(number) / "issuing.crt"
            done = subprocess.run(["openssl", "crl", "-inform", "DER", "-noout", "-CAfile", issuing], input=der, capture_output=True)
            self.assertIn(b"verify OK", done.stderr)
        enrol.close()

    def named(self, port, ca, number):
        try:
            return self.shown(port, ca)[1].endswith(f" CA {number}")
        except subprocess.CalledProcessError:  # still the one below another root
            return False


class TwoListeners(Case):
    """libwebsockets picks contexts by SNI and virtual hosts by Host; which port it was must decide."""

    def test_sni_does_not_lead_away(self):
        for name in ("enrol", "inner", "gateway", "x.enrol"):
            with self.subTest(name=name):
                self.assertIsNone(self.office(device=None, sni=name))
                self.assertEqual(self.office(sni=name), 200)

    def test_host_does_not_lead_to_the_api(self):
        port = self.gateway.enrol_port
        for host in ("gateway", "gateway:1", f"localhost:{self.gateway.port}", f"localhost:{port}", ""):
            with self.subTest(host=host):
                data = f"GET /api/office HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
                for sni in ("localhost", "gateway"):
                    answer = self.raw(data, device=None, port=port, sni=sni)
                    self.assertRegex(answer, rb"^HTTP/1.1 (404|421) ")

    def test_enrolment_has_what_it_needs(self):
        port = self.gateway.enrol_port
        answer = self.raw(self.request("GET /ca.crt HTTP/1.1", port=port), device=None, port=port)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
        self.assertEqual(answer.split(b"\r\n\r\n")[1].split(b"<end>")[0].decode().split(), self.gateway.ca.read_text().split())
        for path in ("/portal/index.html", "/portal/main.js", "/core/transport.js", "/api/me", "/index.html"):
            answer = self.raw(self.request(f"GET {path} HTTP/1.1", port=port), device=None, port=port)
            self.assertTrue(answer.startswith(b"HTTP/1.1 404 "), (path, answer))

    def test_enrolment_has_no_stream(self):
        port = self.gateway.enrol_port
        data = self.request(f"GET /api/sessions/{'ab' * 16}/stream HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade",
                            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13",
                            "Sec-WebSocket-Protocol: sekisho.1", f"Origin: https://localhost:{port}", port=port)
        for device in (None, True):
            self.assertTrue(self.raw(data, device=device, port=port).startswith(b"HTTP/1.1 404 "))


class Http(Case):
    GET = "GET /api/office HTTP/1.1"

    def post(self, *fields, body=b"{}"):
        return self.request("POST /api/logout HTTP/1.1", f"Origin: https://localhost:{self.gateway.port}",
                            "Content-Type: application/json", *fields) + body

    def test_no_http2(self):
        """Neither by ALPN nor by an upgrade, which libwebsockets would take inside TLS too."""
        tls = client.context(self.gateway.ca, *self.sato.devices["laptop"])
        tls.set_alpn_protocols(["h2"])
        try:
            raw = socket.create_connection(("127.0.0.1", self.gateway.port), 10)
            with tls.wrap_socket(raw, server_hostname="localhost") as connection:
                self.assertNotEqual(connection.selected_alpn_protocol(), "h2")
        except ssl.SSLError:
            pass
        answer = self.raw(self.request(self.GET, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
                                       "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"))
        self.assertNotIn(b"101", answer)
        self.assertTrue(answer.endswith(b"<end>"))

    def test_an_unknown_upgrade_ends_the_connection(self):
        """On a kept connection 4.1.6 reads the field after freeing it (CVE-2025-11677); under ASan that would be seen."""
        upgrade = self.request(self.GET, "Connection: Upgrade", "Upgrade: nonsense")
        self.assertTrue(self.raw(upgrade, ends=True).endswith(b"<end>"))
        answer = self.raw(self.request(self.GET), more=upgrade, ends=True)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "))
        self.assertTrue(answer.endswith(b"<end>"))

    def upgrade(self, *without, path=f"/api/sessions/{'ab' * 16}/stream", **other):
        fields = {"Host": f"localhost:{self.gateway.port}", "Upgrade": "websocket", "Connection": "Upgrade",
                  "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version": "13",
                  "Sec-WebSocket-Protocol": "sekisho.1", "Origin": f"https://localhost:{self.gateway.port}"}
        fields.update({name.replace("_", "-"): value for name, value in other.items()})
        lines = [f"{name}: {value}" for name, value in fields.items() if name not in without]
        return self.raw("\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode(), ends=True)

    def test_a_refused_upgrade_is_answered(self):
        """With a status and our header fields, and the connection ends."""
        self.assertTrue(self.upgrade().startswith(b"HTTP/1.1 101 "))
        for status, answer in ((404, self.upgrade(path="/api/me")), (403, self.upgrade("Origin")),
                               (403, self.upgrade(Origin="https://evil.example")),
                               (403, self.upgrade(Host="evil.example")), (400, self.upgrade(Upgrade="h2c")),
                               (400, self.upgrade("Sec-WebSocket-Version")), (400, self.upgrade("Sec-WebSocket-Protocol")),
                               (400, self.upgrade(**{"Sec-WebSocket-Protocol": "sekisho.2"}))):
            with self.subTest(status=status, answer=answer):
                self.assertTrue(answer.startswith(f"HTTP/1.1 {status} ".encode()))
                self.guarded(answer)

    def guarded(self, answer):
        for field in (b"content-security-policy: default-src 'none';", b"x-content-type-options: nosniff",
                      b"cross-origin-resource-policy: same-origin", b"referrer-policy: no-referrer"):
            self.assertIn(field, answer.lower())
        self.assertTrue(answer.endswith(b"<end>"))

    def test_pages_of_the_library_are_guarded(self):
        """What libwebsockets answers before it asks us."""
        for line in (f"GET https://localhost:{self.gateway.port}/ HTTP/1.1", "OPTIONS * HTTP/1.1", "PRI * HTTP/2.0",
                     "BREW / HTTP/1.1", "GET /%zz HTTP/1.1"):
            with self.subTest(line=line):
                answer = self.raw(self.request(line), ends=True)
                self.assertRegex(answer, rb"^HTTP/1.[01] 40[0-9] ")
                self.guarded(answer)

    def test_methods(self):
        for method, status in (("HEAD", b"405"), ("PUT", b"405"), ("OPTIONS", b"405"), ("PATCH", b"405")):
            answer = self.raw(self.request(f"{method} /api/office HTTP/1.1"))
            self.assertTrue(answer.startswith(b"HTTP/1.1 " + status), (method, answer))
        # libwebsockets takes CONNECT for the wish to leave HTTP.
        self.assertEqual(self.raw(self.request("CONNECT / HTTP/1.1"), more=b"more"), b"<end>")
        self.assertNotIn(b" 200 ", self.raw(self.request("NONSENSE / HTTP/1.1")))

    def test_where_a_request_ends_is_beyond_doubt(self):
        bad = ([], ["Content-Length: -1"], ["Content-Length: 2", "Content-Length: 3"], ["Content-Length: 2 2"],
               ["Content-Length: 0x2"], ["Transfer-Encoding: chunked"], ["Content-Length: 2", "Transfer-Encoding: chunked"],
               ["Content-Length: 2", "Transfer-Encoding : chunked"], ["Content-Length: 2", "Transfer-Encoding\t\t: chunked"],
               ["Content-Length: 2", "Content-Length : 3"], ["Content-Length: 2", "Accept: a\nTransfer-Encoding: chunked"])
        for fields in bad:
            with self.subTest(fields=fields):
                answer = self.raw(self.post(*fields) + self.request(self.GET))
                self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
                self.assertEqual(answer.count(b"HTTP/1.1 "), 1, "the rest was taken for another request")
                self.assertTrue(answer.endswith(b"<end>"))
        answer = self.raw(self.request(self.GET, "Content-Length: 2") + b"{}")
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)

    def test_a_body_over_the_limit_is_not_read(self):
        answer = self.raw(self.post("Content-Length: 16385", body=b" " * 100))
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)
        self.assertTrue(answer.endswith(b"<end>"))

    def test_early_requests_do_not_keep_the_edge_busy(self):
        """A large answer that nobody reads, with another request behind it."""
        path = max((self.gateway.viewer).rglob("*.*"), key=lambda p: p.stat().st_size if p.is_file() else 0)
        line = f"GET /{path.relative_to(self.gateway.viewer)} HTTP/1.1"
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", self.gateway.port))
        tls = client.context(self.gateway.ca, *self.sato.devices["laptop"])
        connection = tls.wrap_socket(raw, server_hostname="localhost")
        connection.sendall(self.request(line) * 40)
        before = self.processor_seconds()
        time.sleep(6)
        used = self.processor_seconds() - before
        connection.close()
        self.assertLess(used, 3)

    def processor_seconds(self):
        with open(f"/proc/{self.gateway.pid('edge')}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def test_paths_out_of_the_viewer(self):
        for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/portal/..%5c..%5cetc/passwd",
                     "//etc/passwd", "/portal/%00", "/portal/index.html%00.js", "/.git/config", "/portal", "/core/"):
            with self.subTest(path=path):
                answer = self.raw(self.request(f"GET {path} HTTP/1.1"))
                self.assertNotIn(b"root:", answer)
        for path in ("/..%2f..%2fetc/passwd", "/%2fetc%2fpasswd", "/.git/config", "/core/"):
            self.assertTrue(self.raw(self.request(f"GET {path} HTTP/1.1")).startswith(b"HTTP/1.1 404 "), path)

    def test_a_page_is_guarded_and_asked_for_again(self):
        answer = self.raw(self.request("GET / HTTP/1.1")).decode(errors="replace")
        self.assertTrue(answer.startswith("HTTP/1.1 200 "), answer)
        for field in ("Content-Security-Policy: default-src 'none';", "Cross-Origin-Embedder-Policy: require-corp",
                      "Cross-Origin-Opener-Policy: same-origin", "X-Content-Type-Options: nosniff", "Permissions-Policy: "):
            self.assertIn(field, answer)
        etag = answer.split("ETag: ")[1].split("\r\n")[0]
        again = self.raw(self.request("GET / HTTP/1.1", f"If-None-Match: {etag}"))
        self.assertTrue(again.startswith(b"HTTP/1.1 304 "), again)


class Rates(Case):
    settings = {"limits_requests_per_minute": 30, "limits_connections_per_address": 8}

    def tearDown(self):
        """The allowance is used up here."""

    def test_requests_per_minute(self):
        browser = self.sato.client()
        answers = [browser.get("/api/office") for _ in range(40)]
        refused = [a for a in answers if a.status == 429]
        self.assertGreaterEqual(len(refused), 5)
        self.assertEqual(refused[0].json["error"], "throttled")
        self.assertGreaterEqual(int(refused[0].headers["Retry-After"]), 1)
        self.assertEqual(int(refused[0].headers["Retry-After"]), refused[0].json["retry_s"])
        browser.close()

    def test_connections_per_address(self):
        browser = self.sato.client()
        kept = []
        with self.assertRaises((ConnectionError, ssl.SSLError)):
            for _ in range(9):
                kept.append(browser.connect())
        self.assertEqual(len(kept), 8)
        for connection in kept:
            connection.close()
        harness.until("room for another connection", lambda: self.connects(browser), 15)

    def connects(self, browser):
        try:
            browser.connect().close()
            return True
        except (ConnectionError, ssl.SSLError):
            return False


class Strangers(Case):
    """Who has no certificate can connect, and no more than that."""

    settings = {"limits_connections": 16, "limits_connections_per_address": 16}

    def silent(self, count, port, first=1):
        """TCP connections without a handshake, four from each address."""
        made = []
        for number in range(count):
            made.append(socket.create_connection(("127.0.0.1", port), 10, (f"127.0.9.{first + number // 4}", 0)))
            self.addCleanup(made[-1].close)
        return made

    def ended(self, connection, seconds=3 * harness.PATIENCE):
        connection.settimeout(seconds)
        try:
            return connection.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def test_the_gateway_lets_the_office_in(self):
        """The handshakes that nobody finishes have half of the room; who is in stays in."""
        browser = self.sato.client()
        self.assertEqual(browser.get("/api/office").status, 200)
        kept = browser.connection.sock
        made = self.silent(40, self.gateway.port)
        self.assertTrue(self.ended(made[0]))
        self.assertTrue(self.ended(made[31]))
        self.assertFalse(self.ended(made[32], 0.2))
        self.assertFalse(self.ended(made[39], 0.2))
        self.assertEqual(self.office(), 200)
        self.assertEqual(browser.get("/api/office").status, 200)
        self.assertIs(browser.connection.sock, kept)
        browser.close()

    def test_a_full_gateway_drops_an_unfinished_handshake(self):
        """Before there are as many of them as half."""
        browsers = [self.sato.client() for _ in range(12)]
        for browser in browsers:
            browser.connection = None
            self.addCleanup(browser.connect(5).close)
        made = self.silent(4, self.gateway.port, first=40)
        self.assertFalse(self.ended(made[0], 0.2))
        self.assertEqual(self.office(), 200)
        self.assertTrue(self.ended(made[0]))

    def test_a_full_enrolment_keeps_nobody_from_work(self):
        made = self.silent(300, self.gateway.enrol_port, first=80)
        self.assertEqual(self.office(), 200)
        data = self.request("GET /ca.crt HTTP/1.1", port=self.gateway.enrol_port)
        self.assertTrue(self.raw(data, device=None, port=self.gateway.enrol_port).startswith(b"HTTP/1.1 200 "))
        self.assertTrue(self.ended(made[0]))

    def test_enrolments_from_one_address(self):
        made = [socket.create_connection(("127.0.0.1", self.gateway.enrol_port), 10, ("127.0.9.200", 0)) for _ in range(33)]
        self.assertTrue(self.ended(made[32]))
        self.assertFalse(self.ended(made[0], 0.2))
        for connection in made:
            connection.close()


class Forwarded(Case):
    """Behind a port forwarding pages have another port than the one we listen on."""

    settings = {"gateway_public_port": 443}

    def test_the_public_port_counts(self):
        for host, status in (("localhost", 200), ("localhost:443", 200), (f"localhost:{self.gateway.port}", 421)):
            answer = self.raw(f"GET /api/office HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            self.assertTrue(answer.startswith(f"HTTP/1.1 {status} ".encode()), (host, answer))
        self.assertIn(b"wss://localhost;", self.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        for origin, status in (("https://localhost", 401), (f"https://localhost:{self.gateway.port}", 403)):
            answer = self.raw(f"POST /api/logout HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\n"
                              "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}".encode())
            self.assertTrue(answer.startswith(f"HTTP/1.1 {status} ".encode()), (origin, answer))

    def tearDown(self):
        """Asked for by its public name here."""


if __name__ == "__main__":
    harness.main()
