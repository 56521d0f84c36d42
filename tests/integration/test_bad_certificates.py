#!/usr/bin/env python3
"""Certificates that are wrong in one way each, forged with the office CA's own key where it takes one, at both ports of a
running gateway: refused in the handshake by the gateway, nobody's at the enrolment. tests/unit/certs/test_identity.c has more."""

import socket
import ssl

import client
import forge
import harness

BAD = ("none", "self-signed", "self-signed with the CA's name", "another office of the same names", "gateway's own kind",
       "no purpose", "any purpose", "for mail", "expired", "not yet valid", "issuing CA", "CA that names the purpose",
       "issued by a device", "issued by a device that says CA:TRUE", "unknown CA below the root", "too long a path",
       "issuing CA crossed by a foreign root", "without authority key identifier", "weak key", "revoked")


class BadCertificates(harness.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sato = cls.gateway.add_user("sato")
        cls.forge = forge.Forge(cls.gateway.dir / "forge")
        ca = cls.gateway.dir / "state" / "signer" / "ca" / "1"
        cls.issuing = ca / "issuing.crt", ca / "issuing.key"
        cls.root = ca / "root.crt", ca / "root.key"
        cls.bad = dict(zip(BAD, cls.make(), strict=True))

    @classmethod
    def subject(cls, pair):
        line = forge.openssl("x509", "-in", pair[0], "-noout", "-subject", "-nameopt", "utf8,sep_comma_plus,sname").decode()
        return "/" + "/".join(line.strip().removeprefix("subject=").split(","))

    @classmethod
    def make(cls):
        """In the order of BAD."""
        issue, own, issuing, root = cls.forge.issue, cls.forge.own, cls.issuing, cls.root
        yield None
        yield own("self")
        namesake_root = own("namesake-root", cls.subject(root))
        yield own("named", cls.subject(issuing))
        namesake = issue("namesake", namesake_root, forge.CA, subject=cls.subject(issuing))
        yield forge.add(issue("stranger", namesake), namesake[0], namesake_root[0])
        yield issue("server", issuing, forge.SERVER)
        yield issue("purposeless", issuing, forge.LEAF)
        yield issue("any", issuing, "extendedKeyUsage=anyExtendedKeyUsage\n" + forge.LEAF)
        yield issue("mail", issuing, "extendedKeyUsage=emailProtection\n" + forge.LEAF)
        yield issue("old", issuing, end="20200102000000Z")
        yield issue("future", issuing, start="20980101000000Z")
        yield issuing
        yield issue("ca-client", root, "extendedKeyUsage=clientAuth\n" + forge.CA)
        device = issue("device-ca", issuing)
        yield forge.add(issue("below", device), device[0])
        false_ca = issue("false-ca", issuing, "extendedKeyUsage=clientAuth\n" + forge.CA)
        yield forge.add(issue("below-false", false_ca), false_ca[0])
        unknown = issue("unknown-ca", root, forge.CA)
        yield forge.add(issue("below-unknown", unknown), unknown[0], root[0])
        longer = issue("longer-ca", unknown, forge.CA)
        yield forge.add(issue("below-longer", longer), longer[0], unknown[0], root[0])
        # What the foreign root says of the issuing CA's name, with another key.
        crossed = issue("crossed", namesake_root, forge.CA, subject=cls.subject(issuing))
        yield forge.add(issue("below-crossed", crossed), crossed[0], namesake_root[0])
        yield issue("strict", issuing, "authorityKeyIdentifier=none\n" + forge.CLIENT)
        yield issue("weak", issuing, key="rsa:1024")
        lost = cls.sato.enrol("lost")
        cls.gateway.cli("device", "revoke", "--id", cls.sato.device_number("lost"))
        yield lost

    def ask(self, port, pair, line="GET /api/office HTTP/1.1"):
        """The status, or None when the handshake refuses."""
        try:
            tls = client.context(self.gateway.ca)
            tls.set_ciphers("ALL:@SECLEVEL=0")  # weak ones must leave us, so that the gateway is what refuses them
            if pair:
                tls.load_cert_chain(*pair)
            raw = socket.create_connection(("127.0.0.1", port), 10)
            with tls.wrap_socket(raw, server_hostname="localhost") as connection:
                connection.sendall(f"{line}\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
                answer = connection.recv(65536)
            return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.1 ") else None
        except (ConnectionError, ssl.SSLError):
            return None

    def renewal(self, pair):
        return self.ask(self.gateway.enrol_port, pair,
                        "POST /.well-known/est/simplereenroll HTTP/1.1\r\nContent-Type: application/pkcs10\r\nContent-Length: 0")

    def tearDown(self):
        self.assertEqual(self.ask(self.gateway.port, self.sato.devices["laptop"]), 200, "the edge did not survive")
        super().tearDown()

    def test_a_good_one_gets_in(self):
        """The forge's certificates work when nothing is wrong with them: the tests below mean something."""
        for pair in (self.forge.issue("good", self.issuing), self.forge.issue("good-rsa", self.issuing, key="rsa:3072"),
                     forge.add(self.forge.issue("good-chain", self.issuing), self.issuing[0], self.root[0])):
            self.assertEqual(self.ask(self.gateway.port, pair), 200)
            self.assertNotIn(self.renewal(pair), (None, 403))

    def test_each_is_refused_in_the_handshake(self):
        harness.until("the list to reach the edge", lambda: self.ask(self.gateway.port, self.bad["revoked"]) is None, 5)
        for name, pair in self.bad.items():
            with self.subTest(name):
                self.assertIsNone(self.ask(self.gateway.port, pair))

    def test_each_is_nobody_at_the_enrolment(self):
        """The page still comes, as for a person whose certificate has run out, but it renews nothing."""
        port = self.gateway.enrol_port
        harness.until("the list to reach the edge", lambda: self.renewal(self.bad["revoked"]) == 403, 5)
        for name, pair in self.bad.items():
            with self.subTest(name):
                self.assertEqual(self.ask(port, pair, "GET /ca.crt HTTP/1.1"), 200)
                self.assertEqual(self.renewal(pair), 403)

    def test_huge_chains(self):
        """On both ports, where the certificate alone would do."""
        some = forge.add(self.forge.issue("some", self.issuing), *[self.root[0]] * 20)
        many = forge.add(self.forge.issue("many", self.issuing), *[self.root[0]] * 100)
        for port, line in ((self.gateway.port, "GET /api/office HTTP/1.1"), (self.gateway.enrol_port, "GET /ca.crt HTTP/1.1")):
            self.assertEqual(self.ask(port, some, line), 200)
            self.assertIsNone(self.ask(port, many, line))


if __name__ == "__main__":
    harness.main()
