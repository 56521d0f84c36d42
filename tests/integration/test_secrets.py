#!/usr/bin/env python3
"""No secret reaches a log or a file: planted ones are searched for in everything the gateway wrote."""

import base64
import os
import tempfile

import desktops
import harness
import sessions

PC_PASSWORD = "Pc-Canary-" + os.urandom(6).hex()


def forms(secret):
    """The secret as text and as the encodings it could hide in."""
    raw = secret.encode() if isinstance(secret, str) else secret
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield raw.decode("latin-1").encode("utf-16-le")
    # Base64 at each of the three alignments, without the characters that depend on the neighbours.
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw)
        yield text[4 if shift else 0:-4]


class Secrets(sessions.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The PC's own log may show its password; it is not the gateway's.
        folder = tempfile.TemporaryDirectory(prefix="sekisho-pc-")
        cls.addClassCleanup(folder.cleanup)
        cls.pc = cls.start(desktops.Shadow(folder.name))
        cls.pc_kept = cls.gateway.add_host("kept", "rdp", cls.pc.port, user="sato", password=PC_PASSWORD,
                                           pc_user="pcuser", security="nla")
        cls.pc_asked = cls.host_for(cls.pc, "asked", "rdp", security="nla")

    def planted(self):
        """What must stay secret, by name."""
        codes = [self.sato.totp.at(step) for step in self.used]
        found = {
            "password": self.sato.password, "wrong password": "Wrong-Canary-5531", "TOTP secret": self.sato.totp.secret,
            "TOTP key": self.sato.totp.key, "PC password": PC_PASSWORD, "right PC password": self.pc.password,
            "typed text": "kagi-no-ana-99",
        }
        found.update({f"cookie {i}": c for i, c in enumerate(self.browser.cookies_seen)})
        found.update({f"raw cookie {i}": bytes.fromhex(c) for i, c in enumerate(self.browser.cookies_seen)})
        return found, codes

    def test_nothing_written(self):
        self.used = [self.sato.totp.last]
        stranger = self.sato.client()
        stranger.post("/api/login", {"account": "sato", "password": "Wrong-Canary-5531"})
        self.until_ended(self.open(self.pc_kept), "pc-login")
        login = {"user": self.pc.user, "password": self.pc.password, "domain": ""}
        viewer = self.view(self.open(self.pc_asked, credentials=login, keep=True)).until_picture(30)
        viewer.send("text", text="kagi-no-ana-99")
        viewer.send("ping", number=1)
        viewer.until("the answer to a ping", lambda: viewer.pongs)
        self.gateway.cli("user", "password", "--name", "sato", password=self.sato.password)
        self.assertTrue(self.gateway.stop())
        planted, codes = self.planted()
        self.search(planted, codes)

    def search(self, planted, codes):
        files = [p for p in self.gateway.dir.rglob("*") if p.is_file()]
        names = {p.name for p in files}
        self.assertIn("gateway.log", names)
        self.assertTrue(any("broker" in p.parts for p in files), names)
        for path in files:
            # What the CLI gave to the device's owner is not the gateway's.
            if path.name.startswith("sato-"):
                continue
            data = path.read_bytes()
            for name, secret in planted.items():
                for form in forms(secret):
                    self.assertNotIn(form, data, f"{name} is in {path}")
            if path.suffix == ".log":
                for code in codes:
                    self.assertNotIn(code.encode(), data, f"a code is in {path}")


if __name__ == "__main__":
    harness.main()
