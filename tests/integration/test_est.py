#!/usr/bin/env python3
"""EST (RFC 7030), OCSP and the lists of the enrolment port with ordinary clients: curl and openssl, strongSwan's pki,
Cisco's libest where it is installed. What they get must open the gateway."""

import base64
import contextlib
import json
import os
import re
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
import urllib.parse

import client
import harness

EST = "/.well-known/est/"
P256 = ("ec", "ec_paramgen_curve:P-256")


def run(*command, data=None, ok=True, env=None, cwd=None, seconds=60):
    done = subprocess.run([str(c) for c in command], input=data, capture_output=True, timeout=seconds, cwd=cwd,
                          env={**os.environ, **(env or {})})
    if ok and done.returncode:
        raise AssertionError(f"{command}: {done.returncode} {done.stdout[-2000:]!r} {done.stderr[-2000:]!r}")
    return done


class Reply:
    def __init__(self, text):
        """What `curl -i` wrote; of several header blocks the last, so that 100 is passed over."""
        head = b""
        self.interim = 0
        while True:
            head, _, text = text.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 100"):
                break
            self.interim += 1
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
        self.body = text

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


class Case(harness.Case):
    count = 0

    @classmethod
    def setUpClass(cls):
        harness.need("curl", "openssl")
        super().setUpClass()
        cls.url = f"https://localhost:{cls.gateway.enrol_port}"

    def setUp(self):
        Case.count += 1
        # Questions are counted for each address, what was refused for each account.
        self.address = f"127.0.77.{Case.count}"
        self.person = f"sato{Case.count}"
        self.gateway.cli("user", "add", "--name", self.person, "--full-name", "佐藤 花子", password="kaze-ni-fukarete-42")
        self.dir = self.gateway.dir / f"est-{Case.count}"
        self.dir.mkdir()

    # -- what the office does -----------------------------------------------------------------------------------

    def invite(self, name=None, approved=True):
        """(code, number)"""
        name = name or f"pc-{Case.count}-{time.monotonic_ns()}"
        options = ["--pre-approved"] if approved else []
        made = self.gateway.cli("device", "invite", "--user", self.person, "--name", name, *options)
        return made["code"], made["id"]

    def invitation(self, number):
        return next(row for row in self.gateway.rows("device", "invites") if row["id"] == number)

    def change(self, statement, *values):
        """What time would do; the broker reads its rows anew for each question."""
        with contextlib.closing(sqlite3.connect(next((self.gateway.dir / "state" / "broker").glob("*.db")), 10)) as db:
            with db:
                self.assertGreater(db.execute(statement, values).rowcount, 0)

    def number(self):
        """Of the newest device."""
        return max(row["id"] for row in self.gateway.rows("device", "list") if row["user"] == self.person)

    def make_due(self, certificate):
        """Two thirds of its life are over."""
        serial = run("openssl", "x509", "-in", certificate, "-noout", "-serial").stdout.decode().split("=")[1].strip()
        now = int(time.time())
        self.change("UPDATE certificate SET not_before = ?, not_after = ?, issued = ? WHERE hex(serial) = ?",
                    now - 80 * 86400, now + 10 * 86400, now - 80 * 86400, serial.zfill(32).upper())

    # -- what a device does -------------------------------------------------------------------------------------

    def key(self, name="key", kind=P256):
        path = self.dir / f"{name}.pem"
        options = ["-pkeyopt", kind[1]] if len(kind) > 1 else []
        run("openssl", "genpkey", "-algorithm", kind[0], *options, "-out", path)
        return path

    def csr(self, key, form="DER", subject="/CN=whoever/O=evil", more=()):
        return run("openssl", "req", "-new", "-key", key, "-subj", subject, "-outform", form, *more).stdout

    def curl(self, path, *options, device=None, data=None):
        pair = ["--cert", device[0], "--key", device[1]] if device else []
        if data is not None:
            pair += ["--data-binary", "@-"]
        done = run("curl", "--ipv4", "--silent", "--show-error", "--include", "--cacert", self.gateway.ca, "--interface",
                   self.address, "--max-time", 30, *pair, *options, self.url + path, data=data)
        return Reply(done.stdout)

    def enroll(self, csr, code=None, *options, user="tpm", path="simpleenroll", device=None):
        """csr in DER goes as base64 on one line, other kinds as they are."""
        login = ["--user", f"{user}:{code}"] if code is not None else []
        body = base64.b64encode(csr) if csr[:1] == b"\x30" else csr
        return self.curl(EST + path, *login, "--header", "Content-Type: application/pkcs10", "--header",
                         "Content-Transfer-Encoding: base64", *options, device=device, data=body)

    def certificates(self, reply):
        """A list of PEM from a certs-only answer."""
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(reply.headers["content-type"], "application/pkcs7-mime; smime-type=certs-only")
        self.assertEqual(reply.headers["content-transfer-encoding"], "base64")
        self.assertNotIn(b"\n", reply.body.strip(), "pki --est reads one line only")
        der = base64.b64decode(reply.body, validate=True)
        text = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", data=der).stdout.decode()
        return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", text, re.S)

    def taken(self, reply, key):
        """The certificate of a successful enrolment, with its key."""
        found = self.certificates(reply)
        self.assertEqual(len(found), 1)
        path = self.dir / f"{time.monotonic_ns()}.crt"
        path.write_text(found[0])
        return path, key

    def issued(self, code=None, kind=P256):
        key = self.key(f"key-{time.monotonic_ns()}", kind)
        return self.taken(self.enroll(self.csr(key), code or self.invite()[0]), key)

    def gateway_status(self, device):
        """What the gateway's own port says to that device; None when the handshake fails."""
        done = run("curl", "--ipv4", "--silent", "--include", "--cacert", self.gateway.ca, "--cert", device[0], "--key",
                   device[1], f"https://localhost:{self.gateway.port}/api/me", ok=False)
        return Reply(done.stdout).status if done.stdout else None

    def opens(self, device):
        self.assertEqual(self.gateway_status(device), 401, "in, but not logged in")

    def try_to_log_in(self, device):
        browser = client.Client(self.gateway.port, client.context(self.gateway.ca, *device), source=self.address)
        answer = browser.request("POST", "/api/login", {"account": self.person, "password": "wrong"})
        self.assertEqual((answer.status, answer.json["error"]), (401, "login"))
        browser.close()

    def log_in(self, device):
        totp = client.Totp(self.gateway.cli("user", "totp", "--name", self.person)["totp_secret"])
        browser = client.Client(self.gateway.port, client.context(self.gateway.ca, *device), source=self.address)
        browser.login(self.person, "kaze-ni-fukarete-42", totp)
        self.assertEqual(browser.get("/api/me").status, 200)
        browser.close()

    def subject(self, certificate):
        return run("openssl", "x509", "-in", certificate, "-noout", "-subject", "-nameopt", "multiline,utf8").stdout.decode()

    def error(self, reply, status, code):
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.json["error"], code)
        self.assertEqual("www-authenticate" in reply.headers, status == 401, reply)


class Curl(Case):
    def test_cacerts(self):
        found = self.certificates(self.curl(EST + "cacerts"))
        self.assertGreaterEqual(len(found), 2, "the issuing CA and the root")
        self.assertIn("".join(self.gateway.ca.read_text().split()), ["".join(pem.split()) for pem in found])
        chain = self.dir / "chain.pem"
        chain.write_text("".join(found))
        device = self.issued()
        out = run("openssl", "verify", "-CAfile", self.gateway.ca, "-untrusted", chain, "-purpose", "sslclient", device[0])
        self.assertIn(b": OK", out.stdout)

    def test_csrattrs(self):
        reply = self.curl(EST + "csrattrs")
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.headers["content-type"], "application/csrattrs")
        self.assertEqual(reply.headers["content-transfer-encoding"], "base64")
        out = run("openssl", "asn1parse", "-inform", "DER", data=base64.b64decode(reply.body, validate=True)).stdout.decode()
        for name in ("id-ecPublicKey", "prime256v1", "ecdsa-with-SHA256"):
            self.assertIn(name, out)

    def test_a_pre_approved_device_is_in_at_once(self):
        code, number = self.invite("sato's laptop")
        key = self.key()
        device = self.taken(self.enroll(self.csr(key), code), key)
        self.opens(device)
        subject = self.subject(device[0])
        self.assertIn("sato's laptop", subject)
        self.assertNotIn("whoever", subject, "the subject is the gateway's to write")
        self.assertNotIn("evil", subject)
        row = self.invitation(number)
        self.assertEqual((row["state"], row["place"]), ("issued", "tpm"))
        # The code is used up, for this key and for others.
        self.error(self.enroll(self.csr(key), code), 409, "used")
        self.error(self.enroll(self.csr(self.key("other")), code), 409, "used")

    def test_requests_in_every_form(self):
        forms = {"one line": base64.b64encode, "lines": base64.encodebytes,
                 "with CR": lambda der: base64.encodebytes(der).replace(b"\n", b"\r\n"),
                 "an end": lambda der: base64.b64encode(der) + b"\n",
                 "PEM": lambda der: run("openssl", "req", "-inform", "DER", data=der).stdout}
        for name, form in forms.items():
            with self.subTest(form=name):
                key = self.key(name)
                self.opens(self.taken(self.enroll(form(self.csr(key)), self.invite()[0]), key))
        key = self.key("der")
        reply = self.curl(EST + "simpleenroll", "--user", f"store:{self.invite()[0]}", "--header",
                          "Content-Type: application/pkcs10; charset=binary", data=self.csr(key))
        self.opens(self.taken(reply, key))

    def test_keys_of_every_allowed_kind(self):
        for kind in (("ec", "ec_paramgen_curve:P-384"), ("ed25519",), ("rsa", "rsa_keygen_bits:3072")):
            with self.subTest(kind=kind):
                self.opens(self.issued(kind=kind))

    def test_codes_as_people_type_them(self):
        code = self.invite()[0]
        key = self.key()
        self.opens(self.taken(self.enroll(self.csr(key), code.lower().replace("-", " ")), key))

    def test_pending_until_approved(self):
        code, number = self.invite(approved=False)
        key = self.key()
        csr = self.csr(key)
        for _ in range(2):
            reply = self.enroll(csr, code)
            self.assertEqual(reply.status, 202, reply)
            self.assertGreaterEqual(int(reply.headers["retry-after"]), 1)
            self.assertNotIn("content-transfer-encoding", reply.headers)
        self.assertEqual(self.invitation(number)["state"], "pending")
        # The second of two devices does not wait.
        self.error(self.enroll(self.csr(self.key("other")), code), 409, "used")
        self.gateway.cli("device", "approve", "--id", number)
        self.error(self.enroll(self.csr(self.key("third")), code), 409, "used")
        self.opens(self.taken(self.enroll(csr, code), key))
        self.error(self.enroll(csr, code), 409, "used")

    def test_refused_and_withdrawn(self):
        csr = self.csr(self.key())
        code, number = self.invite(approved=False)
        self.assertEqual(self.enroll(csr, code).status, 202)
        self.gateway.cli("device", "refuse", "--id", number, "--reason", "知らない端末")
        reply = self.enroll(csr, code)
        self.error(reply, 403, "denied")
        self.assertEqual(reply.json["reason"], "知らない端末")
        code, number = self.invite()
        self.gateway.cli("device", "withdraw", "--id", number)
        self.error(self.enroll(csr, code), 403, "denied")

    def test_wrong_codes(self):
        csr = self.csr(self.key())
        code = self.invite()[0]
        wrong = ("B" if code[0] == "A" else "A") + code[1:]
        self.error(self.enroll(csr, wrong), 401, "code")
        self.error(self.enroll(csr, "x"), 401, "code")
        self.error(self.enroll(csr, code[:-1]), 401, "code")
        self.error(self.enroll(csr, code + "A"), 401, "code")
        self.assertEqual(self.enroll(csr, code).status, 200, "a wrong code burns no right one")

    def test_expired(self):
        code, number = self.invite()
        self.change("UPDATE invite SET expires = ? WHERE id = ?", int(time.time()) - 1, number)
        self.error(self.enroll(self.csr(self.key()), code), 410, "expired")

    def test_no_credentials(self):
        """Nothing is used up: the same connection brings them then, as libest does."""
        code, number = self.invite()
        key = self.key()
        csr = self.csr(key)
        reply = self.enroll(csr)
        self.error(reply, 401, "code")
        self.assertRegex(reply.headers["www-authenticate"], r'^Basic realm="[a-z ]+"$')
        for login in ("Bearer x", "Basic", "Basic !!!!", "Basic " + base64.b64encode(b"tpm").decode(),
                      "Basic " + base64.b64encode(b"tpm:" + code.encode() + b"\0").decode(),
                      "Basic " + base64.b64encode(b"tpm:" + b"A" * 65).decode(), "Basic " + "QTpi" * 1500):
            self.error(self.enroll(csr, None, "--header", f"Authorization: {login}"), 401, "code")
        login = "Authorization: Basic " + base64.b64encode(f"tpm:{code}".encode()).decode()
        self.error(self.enroll(csr, None, "--header", login, "--header", login), 401, "code")
        self.assertEqual(self.invitation(number)["state"], "open")
        browser = client.Client(self.gateway.enrol_port, client.context(self.gateway.ca), source=self.address)
        fields = {"Content-Type": "application/pkcs10", "Origin": None}
        self.assertEqual(browser.request("POST", EST + "simpleenroll", headers=fields, raw=csr).status, 401)
        kept = browser.connection.sock
        fields["Authorization"] = login.split(": ", 1)[1]
        answer = browser.request("POST", EST + "simpleenroll", headers=fields, raw=base64.b64encode(csr))
        self.assertEqual(answer.status, 200, answer)
        self.assertIs(browser.connection.sock, kept)
        browser.close()

    def test_a_body_that_waits_to_be_asked_for(self):
        key = self.key()
        reply = self.enroll(self.csr(key), self.invite()[0], "--header", "Expect: 100-continue")
        self.assertEqual(reply.interim, 1)
        self.opens(self.taken(reply, key))
        reply = self.enroll(self.csr(key), None, "--header", "Expect: 100-continue")
        self.assertEqual((reply.status, reply.interim, reply.headers["connection"]), (401, 0, "close"))
        self.assertEqual(self.enroll(self.csr(key), "x", "--header", "Expect: tea").status, 417)

    def raw(self, data):
        """All that comes back until the connection ends."""
        tls = client.context(self.gateway.ca)
        connection = socket.create_connection(("127.0.0.1", self.gateway.enrol_port), 20, (self.address, 0))
        with tls.wrap_socket(connection, server_hostname="localhost") as connection:
            connection.sendall(data)
            got = b""
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                while part := connection.recv(65536):
                    got += part
            return got

    def request(self, code, key, *fields, version="HTTP/1.1"):
        login = base64.b64encode(f"tpm:{code}".encode()).decode()
        body = base64.b64encode(self.csr(key))
        head = [f"POST {EST}simpleenroll {version}", f"Host: localhost:{self.gateway.enrol_port}",
                "Content-Type: application/pkcs10", f"Authorization: Basic {login}", f"Content-Length: {len(body)}", *fields]
        return "\r\n".join([*head, "", ""]).encode() + body

    def test_what_comes_behind_a_body(self):
        """A line end is forgiven (RFC 9112 2.2); another request is not read, and none is made of the rest."""
        key = self.key()
        got = self.raw(self.request(self.invite()[0], key) + b"\r\n")
        self.assertTrue(got.startswith(b"HTTP/1.1 200 "), got)
        self.assertIn(b"\r\nConnection: close\r\n", got)
        self.opens(self.taken(Reply(got), key))
        more = f"GET /ca.crt HTTP/1.1\r\nHost: localhost:{self.gateway.enrol_port}\r\nConnection: close\r\n\r\n".encode()
        got = self.raw(self.request(self.invite()[0], self.key("other")) + more)
        self.assertNotIn(b"BEGIN CERTIFICATE", got)
        got = self.raw(self.request(self.invite()[0], self.key("chunks"), "Transfer-Encoding: chunked") + more)
        self.assertTrue(got.startswith(b"HTTP/1.1 400 "), got)
        self.assertEqual(got.count(b"HTTP/1.1 "), 1, got)
        key = self.key("old")
        got = self.raw(self.request(self.invite()[0], key, version="HTTP/1.0"))
        self.opens(self.taken(Reply(got), key))

    def test_bad_requests_burn_nothing(self):
        code, number = self.invite()
        key = self.key()
        csr = self.csr(key)
        bad = {"garbage": b"garbage", "truncated": base64.b64encode(csr[:-5]), "one byte": b"0",
               "more behind": base64.b64encode(csr + b"\0"), "changed": base64.b64encode(csr[:-1] + bytes([csr[-1] ^ 1])),
               "a certificate": self.gateway.ca.read_bytes(), "nothing": b""}
        for name, body in bad.items():
            with self.subTest(name=name):
                reply = self.enroll(body, code)
                self.error(reply, 400, "invalid")
                self.assertEqual(reply.json["field"], "csr")
        self.error(self.enroll(b"A" * 12289, code), 413, "too-big")
        self.error(self.enroll(b"A" * 20000, code), 413, "too-big")
        self.error(self.enroll(self.csr(self.key("rsa", ("rsa", "rsa_keygen_bits:2048"))), code), 422, "key")
        self.error(self.enroll(self.csr(self.key("p521", ("ec", "ec_paramgen_curve:P-521"))), code), 422, "key")
        self.assertEqual(self.invitation(number)["state"], "open")
        device = self.taken(self.enroll(csr, code), key)
        # A key is good for one device.
        self.error(self.enroll(csr, self.invite()[0]), 422, "key")
        self.opens(device)

    def test_challenge_passwords(self):
        code = self.invite()[0]
        key = self.key()

        def with_password(word):
            config = self.dir / "challenge.cnf"
            config.write_text(f"[req]\ndistinguished_name = dn\nattributes = a\nprompt = no\n[dn]\nCN = x\n[a]\n"
                              f"challengePassword = {word}\n")
            return run("openssl", "req", "-new", "-key", key, "-config", config, "-outform", "DER").stdout

        reply = self.enroll(with_password("another"), code)
        self.error(reply, 400, "invalid")
        self.assertEqual(reply.json["field"], "challenge")
        self.opens(self.taken(self.enroll(with_password(code), code), key))

    def test_renewal_too_early(self):
        device = self.issued()
        self.error(self.enroll(self.csr(device[1]), path="simplereenroll", device=device), 409, "state")
        self.opens(device)

    def test_renewal_with_a_new_key(self):
        old = self.issued()
        self.make_due(old[0])
        key = self.key("new")
        reply = self.enroll(self.csr(key), path="simplereenroll", device=old)
        new = self.taken(reply, key)
        self.assertEqual(self.subject(old[0]), self.subject(new[0]))
        self.opens(old)
        # Whoever logs in with the new one ends the old one, and nobody else.
        self.try_to_log_in(new)
        self.opens(old)
        self.log_in(new)
        harness.until("the old certificate to end", lambda: self.gateway_status(old) is None, 10)
        self.opens(new)

    def test_renewal_with_the_same_key(self):
        old = self.issued()
        self.make_due(old[0])
        new = self.taken(self.enroll(self.csr(old[1]), path="simplereenroll", device=old), old[1])
        self.assertEqual(self.subject(old[0]), self.subject(new[0]))
        serials = {run("openssl", "x509", "-in", pair[0], "-noout", "-serial").stdout for pair in (old, new)}
        self.assertEqual(len(serials), 2)
        self.opens(new)

    def test_renewal_without_a_good_certificate(self):
        csr = self.csr(self.key("new"))
        self.error(self.enroll(csr, path="simplereenroll"), 403, "denied")
        self.error(self.enroll(csr, self.invite()[0], path="simplereenroll"), 403, "denied")
        # One that is not ours counts as none.
        cert, key = self.dir / "self.crt", self.dir / "self.key"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", P256[1], "-noenc", "-subj", "/CN=x", "-keyout", key, "-out",
            cert)
        self.error(self.enroll(csr, path="simplereenroll", device=(cert, key)), 403, "denied")
        self.assertEqual(self.curl(EST + "cacerts", device=(cert, key)).status, 200)
        lost = self.issued()
        self.make_due(lost[0])
        number = self.number()
        self.gateway.cli("device", "revoke", "--id", number)
        self.assertIn(self.enroll(csr, path="simplereenroll", device=lost).status, (401, 403))

    def test_what_is_not_there(self):
        csr = self.csr(self.key())
        code = self.invite()[0]
        for path in ("office/simpleenroll", "simpleenroll/", "serverkeygen", "fullcmc"):
            self.assertEqual(self.enroll(csr, code, path=path).status, 404, path)
        self.assertEqual(self.curl(EST + "office/cacerts").status, 404)
        self.assertEqual(self.curl(EST + "simpleenroll").status, 405)
        self.assertEqual(self.enroll(csr, code, "--request", "PUT").status, 405)
        for path in ("/api/office", "/api/me", "/api/admin/device/list", "/enrol/../api/me", "/enrol/%2e%2e/api/me",
                     "/enrol/..%2fapi/me", "/.well-known/../api/me", "//api/me"):
            self.assertEqual(self.curl(path, "--path-as-is").status, 404, path)
        self.assertEqual(self.enroll(csr, code).status, 200)

    def test_pages_of_others(self):
        device = self.issued()
        self.make_due(device[0])
        csr = self.csr(self.key("new"))
        for origin in (f"https://localhost:{self.gateway.port}", "null", "https://evil.example"):
            reply = self.enroll(csr, None, "--header", f"Origin: {origin}", path="simplereenroll", device=device)
            self.error(reply, 403, "denied")
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            reply = self.curl(EST + "simplereenroll", "--header", f"Content-Type: {kind}", device=device, data=csr)
            self.error(reply, 403, "denied")
        self.assertEqual(self.enroll(csr, None, "--header", f"Origin: {self.url}", path="simplereenroll",
                                     device=device).status, 200)

    def test_codes_are_not_written_down(self):
        code = self.invite()[0]
        csr = self.csr(self.key())
        self.enroll(csr, code[:-1])
        self.enroll(csr, code, path=f"simpleenroll/{code}")
        self.enroll(b"garbage", code)
        self.assertEqual(self.enroll(csr, code).status, 200)
        for path in [self.gateway.log_path, *(self.gateway.dir / "state" / "broker").glob("*.db*")]:
            data = path.read_bytes()
            self.assertNotIn(code.encode(), data, path)
            self.assertNotIn(code.replace("-", "").encode(), data, path)


class Revocation(Case):
    def chain(self):
        path = self.dir / "chain.pem"
        path.write_text("".join(self.certificates(self.curl(EST + "cacerts"))))
        return path

    def issuer_of(self, certificate, chain):
        """The issuing CA's certificate, in a file of its own."""
        wanted = run("openssl", "x509", "-in", certificate, "-noout", "-issuer", "-nameopt", "RFC2253").stdout
        for number, pem in enumerate(re.findall("-----BEGIN.*?-----END CERTIFICATE-----\n", chain.read_text(), re.S)):
            path = self.dir / f"ca-{number}.pem"
            path.write_text(pem)
            name = run("openssl", "x509", "-in", path, "-noout", "-subject", "-nameopt", "RFC2253").stdout
            if name.split(b"=", 1)[1] == wanted.split(b"=", 1)[1]:
                return path
        raise AssertionError("no issuer")

    def ask(self, certificate, by_get):
        chain = self.chain()
        issuer, question, answer = self.issuer_of(certificate, chain), self.dir / "q", self.dir / "a"
        run("openssl", "ocsp", "-issuer", issuer, "-cert", certificate, "-reqout", question, "-no_nonce" if by_get else "-nonce")
        text = base64.b64encode(question.read_bytes()).decode()
        if by_get:
            reply = self.curl("/ocsp/" + urllib.parse.quote(text, safe=""))
        if by_get and "//" in text:
            self.assertIn(reply.status, (200, 400), "libwebsockets 4.1 makes one / of two: post such a question")
        if not by_get or "//" in text:
            reply = self.curl("/ocsp", "--header", "Content-Type: application/ocsp-request", data=question.read_bytes())
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(reply.headers["content-type"], "application/ocsp-response")
        answer.write_bytes(reply.body)
        done = run("openssl", "ocsp", "-issuer", issuer, "-cert", certificate, "-respin", answer, "-reqin", question, "-no_nonce", "-CAfile",
                   self.gateway.ca, "-verify_other", chain)
        self.assertIn(b"Response verify OK", done.stderr)
        return done.stdout.decode()

    def test_ocsp(self):
        device = self.issued()
        for by_get in (False, True):
            self.assertIn(": good", self.ask(device[0], by_get))
        number = self.number()
        self.gateway.cli("device", "revoke", "--id", number, "--lost")
        harness.until("OCSP to know", lambda: ": revoked" in self.ask(device[0], True), 10)
        self.assertIn(": revoked", self.ask(device[0], False))

    def test_strange_questions(self):
        for path in ("/ocsp/", "/ocsp/%00", "/ocsp/MEIw%0a", "/ocsp/-_-_", "/ocsp/../api/me"):
            self.assertIn(self.curl(path, "--path-as-is").status, (400, 403, 404, 421), path)
        self.assertIn(self.curl("/ocsp/" + "A" * 6000).status, (400, 403, 413, 414))
        for data in (b"garbage", b"0" * 2049, b""):
            reply = self.curl("/ocsp", "--header", "Content-Type: application/ocsp-request", data=data)
            self.assertNotEqual(reply.status, 500, reply)
        self.assertEqual(self.curl("/ca.crt").status, 200)

    def test_lists(self):
        chain = self.chain()
        newest = self.curl("/crl.der")
        self.assertEqual((newest.status, newest.headers["content-type"]), (200, "application/pkix-crl"))
        self.assertEqual(self.curl("/crl/1.der").body, newest.body)
        done = run("openssl", "crl", "-inform", "DER", "-noout", "-CAfile", chain, "-verify", data=newest.body)
        self.assertIn(b"verify OK", done.stderr)
        for path in ("/crl/2.der", "/crl/0.der", "/crl/4294967297.der", "/crl/1", "/crl/x.der"):
            self.assertEqual(self.curl(path).status, 404, path)


class Guesses(Case):
    def test_an_address_asks_little(self):
        """And whoever shares it still gets the page."""
        csr = self.csr(self.key())
        browser = client.Client(self.gateway.enrol_port, client.context(self.gateway.ca), source=self.address)
        statuses = []
        for _ in range(140):
            answer = browser.get(EST + "cacerts")
            statuses.append(answer.status)
        self.assertEqual(statuses[:110], [200] * 110)
        self.assertEqual(statuses[-1], 429)
        self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.assertEqual(browser.get("/ca.crt").status, 200)
        self.assertEqual(self.enroll(csr).status, 401)
        browser.close()


class Strongswan(Case):
    @classmethod
    def setUpClass(cls):
        harness.need("pki")
        super().setUpClass()
        # Its own TLS stops at 1.2 unless it is told.
        cls.config = cls.gateway.dir / "strongswan.conf"
        cls.config.write_text("libtls { version_max = 1.3 }\n")

    def pki(self, *arguments, data=None, ok=True):
        return run("pki", *arguments, "--url", self.url, "--cacert", self.gateway.ca, data=data, ok=ok, cwd=self.dir,
                   env={"STRONGSWAN_CONF": str(self.config)}, seconds=150)

    def kept(self, done, key):
        path = self.dir / f"{time.monotonic_ns()}.crt"
        path.write_bytes(done.stdout)
        return path, key

    def cacerts(self):
        found = [a for path in self.dir.glob("ca*.pem") for a in ("--cacert", path)]
        return found

    def test_estca(self):
        self.pki("--estca", "--caout", "ca.pem", "--outform", "pem")
        found = [path.read_text() for path in self.dir.glob("ca*.pem")]
        self.assertGreaterEqual(len(found), 2)
        self.assertIn("".join(self.gateway.ca.read_text().split()), ["".join(pem.split()) for pem in found])

    def test_est(self):
        self.pki("--estca", "--caout", "ca.pem", "--outform", "pem")
        key = self.key()
        done = self.pki("--est", "--userpass", f"tpm:{self.invite()[0]}", "--outform", "pem", *self.cacerts(),
                        data=self.csr(key))
        old = self.kept(done, key)
        self.opens(old)
        # Renewal, with another key.
        self.make_due(old[0])
        key = self.key("new")
        done = self.pki("--est", "--cert", old[0], "--key", old[1], "--outform", "pem", *self.cacerts(), data=self.csr(key))
        new = self.kept(done, key)
        self.opens(new)
        self.assertEqual(self.subject(old[0]), self.subject(new[0]))

    def test_est_waits_for_approval(self):
        self.pki("--estca", "--caout", "ca.pem", "--outform", "pem")
        code, number = self.invite(approved=False)
        key = self.key()
        asked = []

        def approve():
            harness.until("the device to wait", lambda: self.invitation(number)["state"] == "pending", 30)
            asked.append(number)
            self.gateway.cli("device", "approve", "--id", number)

        helper = threading.Thread(target=approve)
        helper.start()
        done = self.pki("--est", "--userpass", f"store:{code}", "--interval", 1, "--maxpolltime", 120, "--outform", "pem",
                        *self.cacerts(), data=self.csr(key))
        helper.join()
        self.assertEqual(asked, [number])
        self.opens(self.kept(done, key))

    def test_est_with_a_wrong_code(self):
        self.assertNotEqual(self.pki("--est", "--userpass", "tpm:AAAA", data=self.csr(self.key()), ok=False).returncode, 0)


class Relay:
    """For a client that knows no newer: TLS 1.2, with a certificate of its own, and HTTP/1.0 in the answers. Behind it,
    the enrolment port."""

    def __init__(self, folder, port, behind, ca):
        self.ca, key = folder / "relay.crt", folder / "relay.key"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", P256[1], "-noenc", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost", "-keyout", key, "-out", self.ca)
        self.outer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.outer.load_cert_chain(self.ca, key)
        self.outer.maximum_version = ssl.TLSVersion.TLSv1_2
        self.inner, self.behind = client.context(ca), behind
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, raw):
        with contextlib.suppress(OSError):
            near = self.outer.wrap_socket(raw, server_side=True)
            far = self.inner.wrap_socket(socket.create_connection(("127.0.0.1", self.behind)), server_hostname="localhost")
            back = threading.Thread(target=self.copy, args=(far, near, b"HTTP/1.1 ", b"HTTP/1.0 "), daemon=True)
            back.start()
            self.copy(near, far)
            back.join()

    def copy(self, source, target, old=b"", new=b""):
        with contextlib.suppress(OSError):
            while data := source.recv(16384):
                target.sendall(new + data.removeprefix(old) if old and data.startswith(old) else data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def stop(self):
        self.listener.close()


class Libest(Case):
    """It speaks TLS 1.2 only, so what is tested here is its HTTP: no credentials at first, HTTP/1.0, a line end behind
    the body. (Its cacerts want base64 in lines, strongSwan's on one.) To it the enrolment is at another port, as behind a
    port forwarding."""

    outside = harness.free_port()
    settings = {"gateway_enrol_public_port": outside}

    @classmethod
    def setUpClass(cls):
        harness.need("estclient")
        super().setUpClass()
        cls.relay = cls.start(Relay(cls.gateway.dir, cls.outside, cls.gateway.enrol_port, cls.gateway.ca))

    def estclient(self, *arguments, ok=True):
        return run("estclient", "-s", "localhost", "-p", self.outside, "-o", self.dir, *arguments, ok=ok,
                   env={"EST_OPENSSL_CACERT": str(self.relay.ca)})

    def received(self):
        """The certificate in PEM that libest wrote down in base64, as it came."""
        path, = self.dir.glob("cert-*")
        der = base64.b64decode(path.read_bytes())
        text = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", data=der).stdout.decode()
        return re.search("-----BEGIN.*?-----END CERTIFICATE-----\n", text, re.S).group()

    def test_enrol(self):
        key = self.key()
        self.estclient("-e", "-u", "tpm", "-h", self.invite()[0], "-x", key, "--common-name", "whoever")
        path = self.dir / "new.crt"
        path.write_text(self.received())
        self.opens((path, key))

    def test_without_a_code(self):
        _, number = self.invite()
        self.estclient("-e", "-x", self.key(), ok=False)
        self.assertEqual(self.invitation(number)["state"], "open")
        self.assertFalse(list(self.dir.glob("cert-*")))


if __name__ == "__main__":
    harness.main()
