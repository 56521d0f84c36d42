#!/usr/bin/env python3
"""gateway.certificate_dir: a certificate of another CA, put into a folder by an ACME client, with the real processes in their
sandbox. What is refused and why, in detail: tests/unit/edge/test_tls_folder.c."""

import hashlib
import pathlib
import shutil
import ssl
import tempfile

import client
import desktops
import forge
import harness
import sessions

SERVER = forge.SERVER + "subjectAltName=DNS:localhost\n"


class Case(sessions.Case):
    """The folder is as prepare() leaves it when the gateway starts."""

    @classmethod
    def setUpClass(cls):
        cls.base = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-acme-"))
        cls.addClassCleanup(shutil.rmtree, cls.base)
        cls.base.chmod(0o755)
        cls.folder = cls.base / "live" / "gateway"
        cls.folder.mkdir(parents=True)
        cls.forge = forge.Forge(cls.base / "forge")
        cls.root = cls.forge.own("public-root")
        cls.ca = cls.forge.issue("public-ca", cls.root, forge.CA)
        cls.settings = {"gateway_certificate_dir": cls.folder}
        cls.prepare()
        start = harness.Gateway.start
        harness.Gateway.start = cls.trust_both(start)
        try:
            super().setUpClass()
        finally:
            harness.Gateway.start = start

    @classmethod
    def trust_both(cls, start):
        """Clients of the harness trust the office's root; here the other one too."""
        def started(gateway):
            start(gateway)
            cls.office_ca = cls.base / "office.pem"
            shutil.copyfile(gateway.ca, cls.office_ca)
            forge.add((gateway.ca, None), cls.root[0])
            return gateway
        return started

    @classmethod
    def prepare(cls):
        pass

    @classmethod
    def pair(cls, name, **kw):
        return forge.add(cls.forge.issue(name, cls.ca, SERVER, **kw), cls.ca[0])

    @staticmethod
    def put(content, target, mode=0o640):
        """As a careful client does it: whole or not at all; the edge's user may read it, others may not."""
        aside = target.with_suffix(".new")
        aside.write_bytes(content)
        aside.chmod(mode)
        if harness.ROOT:
            shutil.chown(aside, group="sekisho-edge")
        aside.rename(target)

    @classmethod
    def drop(cls, pair):
        cls.put(pair[0].read_bytes(), cls.folder / "fullchain.pem")
        cls.put(pair[1].read_bytes(), cls.folder / "privkey.pem")

    def shown(self, port=None, ca=None):
        """SHA-256 of the certificate that a new connection is shown; it is trusted, and for localhost."""
        browser = client.Client(port or self.gateway.port, client.context(ca or self.gateway.ca, *self.sato.devices["laptop"]))
        with browser.connect() as connection:
            return hashlib.sha256(connection.getpeercert(True)).hexdigest()

    @staticmethod
    def digest(pair):
        first = pair[0].read_text().split("-----END")[0] + "-----END CERTIFICATE-----\n"
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()

    def until_used(self, pair):
        harness.until("the new certificate", lambda: self.shown() == self.digest(pair), 15)
        self.assertEqual(self.shown(self.gateway.enrol_port), self.digest(pair))

    def logged(self, before, *texts):
        harness.until(lambda: f"{texts} in {self.gateway.log()[before:]}",
                      lambda: all(text in self.gateway.log()[before:] for text in texts), 15)


class LateFolder(Case):
    """Nothing is there at the start; everything comes while people work."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.BareVnc(cls.gateway.dir / "pc"))
        cls.number = cls.host_for(cls.pc, "pc", security="none")
        cls.at_start = cls.gateway.log()

    def test_without_files_the_office_shows_its_own(self):
        self.assertIn("event=certificate-dir-missing setting=gateway.certificate_dir", self.at_start)
        self.assertIn("there is no fullchain.pem", self.at_start)
        self.assertIn("fullchain.pem がありません", self.at_start)
        self.assertIn("the office CA's", self.at_start)

    def test_reload_keeps_connections(self):
        """A WebSocket and a kept connection live on across certificates of all kinds, the CRL's reload among them."""
        viewer = self.view(self.open(self.number)).until_picture()
        kept = self.sato.client("laptop")
        kept.get("/api/office")
        sock, edge = kept.connection.sock, self.gateway.pid("edge")
        for number, kind in enumerate((None, "rsa:2048", None)):
            pair = self.pair(f"reload-{number}", key=kind)
            self.drop(pair)
            self.until_used(pair)
            viewer.send("ping", number=number)
            viewer.until("an answer", lambda: number in viewer.pongs)
            self.assertEqual(kept.get("/api/office").status, 200)
        lost = self.sato.enrol("lost")
        self.gateway.cli("device", "revoke", "--id", self.sato.device_number("lost"))
        harness.until("the list to reach the edge", lambda: not self.enters(lost), 5)
        viewer.send("ping", number=99)
        viewer.until("an answer", lambda: 99 in viewer.pongs)
        self.assertEqual(kept.get("/api/office").status, 200)
        self.assertIs(kept.connection.sock, sock)
        self.assertEqual(self.gateway.pid("edge"), edge)
        kept.close()

    def enters(self, pair):
        try:
            browser = client.Client(self.gateway.port, client.context(self.gateway.ca, *pair))
            return browser.get("/api/office").status == 200
        except (ssl.SSLError, OSError):
            return False

    def test_what_is_wrong_is_refused_and_said(self):
        good = self.pair("before")
        self.drop(good)
        self.until_used(good)
        next_one, other = self.pair("next"), self.pair("other")
        old = self.pair("old", end="20200102000000Z")
        chain, key = (path.read_bytes() for path in next_one)
        for what, files, texts in (
                ("half a certificate", (chain[:len(chain) // 2], key), ("fullchain.pem is not whole", "途中で切れている")),
                ("half a key", (chain, key[:60]), ("privkey.pem is not whole", "秘密鍵ではありません")),
                ("another key", (chain, other[1].read_bytes()), ("is not the key of", "対になっていません")),
                ("expired", (old[0].read_bytes(), old[1].read_bytes()), ("has expired", "期限が切れています"))):
            with self.subTest(what):
                before = len(self.gateway.log())
                self.put(files[0], self.folder / "fullchain.pem")
                self.put(files[1], self.folder / "privkey.pem")
                self.logged(before, "event=certificate-dir-refused", f'path="{self.folder}"', "the one before", *texts)
                self.assertEqual(self.shown(), self.digest(good))
        # One that everybody may read, and one that the edge may not; both are mended by their rights alone.
        for pair, mode, texts in ((next_one, 0o644, ["privkey.pem may be read by everybody"]),
                                  (other, 0o600, ["privkey.pem may not be read", "sekisho-edge"])):
            if mode == 0o600 and not harness.ROOT:
                continue
            with self.subTest(oct(mode)):
                before, shown = len(self.gateway.log()), self.shown()
                self.put(pair[0].read_bytes(), self.folder / "fullchain.pem")
                self.put(pair[1].read_bytes(), self.folder / "privkey.pem", mode)
                self.logged(before, *texts)
                self.assertEqual(self.shown(), shown)
                (self.folder / "privkey.pem").chmod(0o640)
                self.until_used(pair)


class Certbot(Case):
    """live/ has links into archive/, which a renewal puts in place anew."""

    @classmethod
    def prepare(cls):
        cls.archive = cls.base / "archive" / "gateway"
        cls.archive.mkdir(parents=True)
        cls.first = cls.pair("first")
        cls.link(cls.first, 1, cls.archive)

    @classmethod
    def link(cls, pair, number, folder):
        for path, name in zip(pair, ("fullchain", "privkey")):
            cls.put(path.read_bytes(), folder / f"{name}{number}.pem")
            aside = cls.folder / f"{name}.new"
            aside.symlink_to(f"../../{folder.relative_to(cls.base)}/{name}{number}.pem")
            aside.rename(cls.folder / f"{name}.pem")

    def test_renewal(self):
        self.until_used(self.first)
        second = self.pair("second")
        self.link(second, 2, self.archive)
        self.until_used(second)

    def test_the_sandbox_holds(self):
        """Only what the links led to at the start: a new link leads the edge nowhere, and the log says what to do."""
        if "landlock=0" in self.gateway.log():
            harness.skip("this kernel has no Landlock")
        self.link(self.first, 3, self.archive)
        self.until_used(self.first)
        elsewhere = self.base / "elsewhere"
        elsewhere.mkdir()
        before = len(self.gateway.log())
        self.link(self.pair("third"), 4, elsewhere)
        self.logged(before, "fullchain.pem may not be read", "restart the gateway", "再起動してください")
        self.assertEqual(self.shown(), self.digest(self.first))


if __name__ == "__main__":
    harness.main()
