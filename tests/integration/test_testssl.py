#!/usr/bin/env python3
"""testssl.sh (Debian's) against both ports of a running gateway: nothing above LOW, but for what is listed here."""

import concurrent.futures
import json
import subprocess

import harness

ALLOWED = ("OK", "INFO", "LOW")
# Finding: what it says, why it is none.
EXCEPTIONS = {
    "engine_problem": ("GOST", "about the openssl that testssl.sh runs, not about the gateway"),
    "NPN": ("not possible for TLS 1.3-only hosts", "version 3.2 warns of what it need not test"),
}
# So that a scan that could not look counts as none.
WANTED = {
    "SSLv2": "not offered", "SSLv3": "not offered", "TLS1": "not offered", "TLS1_1": "not offered", "TLS1_2": "not offered",
    "TLS1_3": "offered", "cipherlist_NULL": "not offered", "sessionresumption_ticket": "not supported",
    "cert_chain_of_trust": "passed", "cert_trust": "Ok via SAN", "heartbleed": "not vulnerable", "ROBOT": "not vulnerable",
    "CRIME_TLS": "TLS 1.3 only", "BREACH": "not vulnerable", "secure_client_renego": "not vulnerable",
    "X-Content-Type-Options": "nosniff", "HTTP_status_code": "200 OK",
}
CHECKS = ("--protocols", "--standard", "--fs", "--server-preference", "--server-defaults", "--headers", "--vulnerable")
# The handshake of the gateway's port wants a device, which testssl.sh 3.0 cannot be told.
WRAPPER = """#!/bin/sh
[ "$1" = s_client ] || exec openssl "$@"
shift
exec openssl s_client -cert {} -key {} "$@"
"""


class TestSsl(harness.Case):
    # testssl.sh writes no port into the Host field, as a browser does for 443.
    settings = {"gateway_public_port": 443, "gateway_enrol_public_port": 443}

    @classmethod
    def setUpClass(cls):
        harness.need("testssl", "openssl")
        super().setUpClass()
        sato = cls.gateway.add_user("sato")
        cls.openssl = cls.gateway.dir / "openssl-with-device"
        cls.openssl.write_text(WRAPPER.format(*sato.devices["laptop"]))
        cls.openssl.chmod(0o755)
        ports = cls.gateway.port, cls.gateway.enrol_port
        with concurrent.futures.ThreadPoolExecutor() as pool:
            cls.findings = dict(zip(ports, pool.map(cls.scan, ports)))

    @classmethod
    def scan(cls, port):
        """[{"id", "severity", "finding"}], without a look at the internet."""
        out = cls.gateway.dir / f"testssl-{port}.json"
        done = subprocess.run(["testssl", "--quiet", "--color", "0", "--nodns", "none", "--ip", "127.0.0.1", "--warnings", "batch",
                               "--assume-http", "--openssl", cls.openssl, "--add-ca", cls.gateway.ca, "--jsonfile", out, *CHECKS,
                               f"localhost:{port}"], capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL)
        return json.loads(out.read_text()) if out.exists() else [{"id": "scan", "severity": "FATAL", "finding": done.stdout[-2000:]}]

    def test_nothing_above_low(self):
        for port, findings in self.findings.items():
            above = [f"{f['id']} {f['severity']}: {f['finding']}" for f in findings
                     if f["severity"] not in ALLOWED and EXCEPTIONS.get(f["id"], ("?", ""))[0] not in f["finding"]]
            self.assertEqual(above, [], self.name(port))

    def test_it_looked(self):
        for port, findings in self.findings.items():
            found = {}
            for finding in findings:
                found.setdefault(finding["id"], finding["finding"])
            for name, text in WANTED.items():
                self.assertIn(text, found.get(name, "no such finding"), f"{self.name(port)}: {name}")

    def name(self, port):
        return "enrolment" if port == self.gateway.enrol_port else "gateway"


if __name__ == "__main__":
    harness.main()
