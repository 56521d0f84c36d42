#!/usr/bin/env python3
"""Who gets in: certificate, password, code, lock, throttle, cookie."""

import ssl
import time

import client
import harness


class Login(harness.Case):
    settings = {"login_failures": 4}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sato = cls.gateway.add_user("sato")
        cls.suzuki = cls.gateway.add_user("suzuki")

    def password(self, browser, person, password=None):
        """The first step; waits as long as the gateway says when it asks to slow down."""
        while True:
            answer = browser.post("/api/login", {"account": person if isinstance(person, str) else person.name,
                                                 "password": password or person.password})
            if answer.status != 429:
                return answer
            self.assertIn("retry_s", answer.json)
            time.sleep(answer.json["retry_s"])

    def refused(self, answer, status=401, code="login"):
        self.assertEqual((answer.status, answer.json), (status, {"error": code}))

    def test_both_steps_and_who_am_i(self):
        browser = self.sato.login()
        me = browser.get("/api/me").json
        self.assertEqual((me["account"], me["role"], me["device"], me["office"]),
                         ("sato", "staff", "laptop", "試験事務所"))
        self.assertGreater(me["login_until"], time.time() + 3600)
        browser.post("/api/logout")
        self.assertIsNone(browser.cookie)
        self.assertEqual(browser.get("/api/me").status, 401)

    def test_cookie_is_locked_down(self):
        browser = self.suzuki.client()
        answer = browser.post("/api/login", {"account": "suzuki", "password": self.suzuki.password})
        parts = {p.strip().lower() for p in answer.headers["Set-Cookie"].split(";")[1:]}
        self.assertLessEqual({"httponly", "secure", "samesite=strict", "path=/"}, parts)
        self.assertFalse(any(p.startswith("domain") for p in parts))
        self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def test_first_step_opens_nothing(self):
        browser = self.suzuki.client()
        self.password(browser, self.suzuki)
        for path in ("/api/me", "/api/hosts", "/api/sessions"):
            self.refused(browser.get(path), code="auth")

    def test_wrong_password_account_and_device_look_the_same(self):
        person = self.gateway.add_user("tanaka")
        other = self.gateway.add_user("yamada")
        wrong = self.password(person.client(), person, "not-the-right-one-1")
        unknown = self.password(person.client(), "nobody", "not-the-right-one-1")
        borrowed = self.password(other.client(), person)
        for answer in (wrong, unknown, borrowed):
            self.refused(answer)
        names = [sorted(k.lower() for k in a.headers.keys()) for a in (wrong, unknown, borrowed)]
        self.assertTrue(names[0] == names[1] == names[2], names)

    def test_wrong_code(self):
        person = self.gateway.add_user("kato")
        browser = person.client()
        self.assertEqual(self.password(browser, person).status, 200)
        good = person.totp.code()
        for code in ("%06d" % ((int(good) + 1) % 1000000), "12345", good + "0", "", "１２３４５６"):
            answer = browser.post("/api/login/totp", {"code": code})
            self.assertIn((answer.status, answer.json["error"]),
                          [(401, "login"), (400, "invalid"), (429, "throttled"), (423, "locked")], code)
            self.assertEqual(browser.get("/api/me").status, 401)

    def test_code_works_once(self):
        person = self.gateway.add_user("mori")
        setup = person.totp.at(person.totp.last)
        first, second = person.client(), person.client()
        self.password(first, person)
        self.refused(first.post("/api/login/totp", {"code": setup}))
        code = person.totp.code()
        self.password(first, person)
        self.assertEqual(first.post("/api/login/totp", {"code": code}).status, 200)
        self.password(second, person)
        self.refused(second.post("/api/login/totp", {"code": code}))
        self.assertEqual(first.get("/api/me").status, 200)

    def test_code_needs_the_password_first(self):
        person = self.gateway.add_user("ono")
        self.refused(person.client().post("/api/login/totp", {"code": person.totp.code()}), code="auth")

    def test_lock_and_unlock(self):
        person = self.gateway.add_user("abe", device="tablet")
        browser = person.client()
        for _ in range(4):
            self.refused(self.password(browser, person, "wrong-wrong-wrong"))
        self.refused(self.password(browser, person), 423, "locked")
        self.gateway.cli("user", "unlock", "--name", "abe")
        self.gateway.cli("device", "unlock", "--id", person.device_number("tablet"))
        browser = person.login()
        self.assertEqual(browser.get("/api/me").json["account"], "abe")

    def test_a_colleague_cannot_lock_me_out(self):
        victim, rascal = self.gateway.add_user("ito"), self.gateway.add_user("goto")
        browser = rascal.client()
        for _ in range(4):
            self.password(browser, victim, "guess-guess-guess")
        self.refused(self.password(browser, victim, "guess-guess-guess"), 423, "locked")
        self.assertEqual(victim.login().get("/api/me").status, 200)

    def test_cookie_is_bound_to_the_device(self):
        person = self.gateway.add_user("hara")
        person.enrol_pkcs12("phone")
        browser = person.login("laptop")
        thief = person.client("phone")
        thief.cookie = browser.cookie
        self.refused(thief.get("/api/me"), code="auth")
        self.assertEqual(browser.get("/api/me").status, 200)

    def test_revoked_device(self):
        person = self.gateway.add_user("mita")
        person.enrol("old-phone")
        browser = person.login("old-phone")
        self.gateway.cli("device", "revoke", "--id", person.device_number("old-phone"), "--reason", "lost")
        answer = browser.get("/api/me")
        self.assertIn(answer.status, (401, 403))
        browser.close()
        harness.until("the handshake to be refused", lambda: self.handshake_refused(person, "old-phone"), 5)
        self.assertEqual(person.login("laptop").get("/api/me").status, 200)

    @staticmethod
    def handshake_refused(person, device):
        """TLS 1.3 lets a client finish before the server has looked at its certificate, so it takes a request."""
        browser = person.client(device)
        try:
            browser.get("/api/office")
            return False
        except (ssl.SSLError, ConnectionError):
            return True
        finally:
            browser.close()

    def test_disabled_account(self):
        person = self.gateway.add_user("wada")
        browser = person.login()
        self.gateway.cli("user", "disable", "--name", "wada")
        self.assertEqual(browser.get("/api/me").status, 401)
        self.refused(self.password(person.client(), person))

    def test_one_device_logs_in_once(self):
        person = self.gateway.add_user("kudo")
        before = person.login()
        stolen = before.cookie
        before.post("/api/logout")
        again = person.client()
        again.cookie = stolen
        self.refused(again.get("/api/me"), code="auth")


class Transport(harness.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sato = cls.gateway.add_user("sato")

    def refused_by_tls(self, tls):
        browser = client.Client(self.gateway.port, tls)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            browser.get("/api/office")

    def test_no_certificate(self):
        self.refused_by_tls(client.context(self.gateway.ca))

    def test_self_signed_certificate(self):
        cert, key = self.gateway.dir / "own.pem", self.gateway.dir / "own.key"
        harness.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=laptop", "-days", "2", "-keyout", key, "-out", cert)
        self.refused_by_tls(client.context(self.gateway.ca, cert, key))

    def test_another_offices_certificate_with_the_same_names(self):
        other = harness.Gateway()
        try:
            other.start()
            person = other.add_user("sato")
            cert, key = person.devices["laptop"]
            self.refused_by_tls(client.context(self.gateway.ca, cert, key))
        finally:
            self.assertTrue(other.stop())
            other.remove()

    def test_only_tls_1_3(self):
        cert, key = self.sato.devices["laptop"]
        self.refused_by_tls(client.context(self.gateway.ca, cert, key, ssl.TLSVersion.TLSv1_2))

    def test_no_resumption(self):
        """A resumed session would skip the check of the certificate."""
        browser = self.sato.client()
        self.assertEqual(browser.get("/api/office").status, 200)
        session = browser.connection.sock.session
        self.assertFalse(session and session.has_ticket)

    def test_enrolment_port_has_no_api(self):
        browser = client.Client(self.gateway.enrol_port, client.context(self.gateway.ca))
        for path in ("/api/office", "/api/login", "/api/hosts"):
            answer = browser.get(path)
            self.assertIn(answer.status, (403, 404), path)

    def test_gateway_certificate_names_the_gateway(self):
        browser = self.sato.client()
        browser.get("/api/office")
        names = browser.connection.sock.getpeercert()["subjectAltName"]
        self.assertIn(("DNS", "localhost"), names)


if __name__ == "__main__":
    harness.main()
