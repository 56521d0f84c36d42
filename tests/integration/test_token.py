#!/usr/bin/env python3
"""A whole gateway whose issuing CA's key is in a token (SoftHSM), as the certificate guide sets it up."""

import os
import pathlib
import pwd
import signal
import subprocess

import harness

PIN, SO_PIN = "246813", "13572468"
MODULE = next((path for path in map(pathlib.Path, ("/usr/lib/softhsm/libsofthsm2.so",
                                                   "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                                                   "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so")) if path.exists()), None)

SANITIZED = b"__asan_init" in (harness.BUILD / "bin" / "sekisho-signer").read_bytes()


class TokenGateway(harness.Gateway):
    def __init__(self):
        super().__init__()
        self.conf, self.tokens, self.pin = self.dir / "softhsm2.conf", self.dir / "tokens", self.dir / "pin"
        self.tokens.mkdir(0o700)
        self.conf.write_text(f"directories.tokendir = {self.tokens}\nobjectstore.backend = file\n")
        self.pin.write_text(PIN + "\n")
        self.pin.chmod(0o600)
        self.tool("softhsm2-util", "--init-token", "--free", "--label", "office", "--pin", PIN, "--so-pin", SO_PIN)
        self.add_key("issuing-1", "01")
        environment = f"SOFTHSM2_CONF={self.conf}"
        if SANITIZED:
            environment += f" OPENSSL_MODULES={self.tokens}"
        self.configure(ca_pkcs11_module=MODULE, ca_pkcs11_dir=self.tokens, ca_pkcs11_environment=environment,
                       ca_pkcs11_key="pkcs11:token=office;object=issuing-1;type=private")

    def tool(self, *command):
        subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=60,
                       env=harness.environment(SOFTHSM2_CONF=str(self.conf)))

    def add_key(self, label, number):
        self.tool("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.dir / label)
        self.tool("softhsm2-util", "--import", self.dir / label, "--token", "office", "--label", label, "--id", number, "--pin", PIN)
        if harness.ROOT:
            signer = pwd.getpwnam("sekisho-signer")
            for path in [self.tokens, *self.tokens.rglob("*")]:
                os.chown(path, signer.pw_uid, signer.pw_gid)

    def state_of_ca(self):
        try:
            return next((row["state"] for row in self.rows("status") if row["part"] == "ca"), None)
        except harness.CliError:
            return None

    def is_up(self):
        """Nobody has given the PIN yet at the first start."""
        if self.state_of_ca() == "locked":
            self.cli("ca", "init", password=PIN)
        return super().is_up()


class Token(harness.Case):
    @classmethod
    def setUpClass(cls):
        harness.need("softhsm2-util")
        if not MODULE:
            harness.skip("needs softhsm2: deploy/deps test installs it")
        # The provider loads modules with RTLD_DEEPBIND, which the sanitizer's runtime refuses: the engine is left.
        options = ["-e"] if SANITIZED else ["-e", "-m"]
        folders = subprocess.run(["openssl", "version", *options], capture_output=True, text=True).stdout.split('"')[1::2]
        if not any((pathlib.Path(folder) / "pkcs11.so").exists() for folder in folders):
            harness.skip("needs OpenSSL's pkcs11 provider or engine: deploy/deps installs it")
        cls.started, cls.failed = [], True
        cls.gateway = TokenGateway()
        cls.addClassCleanup(cls._finish)
        cls.gateway.start()
        cls.failed = False

    def show(self):
        answer = self.gateway.cli("ca", "show")
        return answer, [dict(zip(answer["columns"], row)) for row in answer["rows"]]

    def restart(self, **settings):
        self.assertTrue(self.gateway.stop())
        self.gateway.configure(**settings)
        self.gateway.start()

    def test_the_life_of_a_token(self):
        """In order: each step needs the one before."""
        gateway = self.gateway
        with self.subTest("the key is in the token alone"):
            folder = gateway.dir / "state" / "signer" / "ca" / "1"
            self.assertEqual({path.name for path in folder.iterdir()}, {"root.crt", "root.key", "issuing.crt", "issuing.uri"})
        with self.subTest("it certifies a device, which gets in"):
            sato = gateway.add_user("sato")
            self.assertEqual(sato.login().get("/api/me").json["account"], "sato")
        with self.subTest("the root goes into the safe"):
            root = gateway.dir / "root.pem"
            self.assertEqual(gateway.cli("ca", "take-root", "--out", root, password=PIN)["root_key"], "elsewhere")
            self.assertFalse((folder / "root.key").exists())
            subprocess.run(["openssl", "pkey", "-in", root, "-passin", f"pass:{PIN}", "-noout"], check=True)
        with self.subTest("after a start it works again, with the PIN from a file"):
            self.restart(ca_passphrase_file=gateway.pin)
            sato.new_totp()
            self.assertEqual(sato.login().get("/api/me").json["account"], "sato")
        with self.subTest("a new key in the token, a new issuing CA"):
            gateway.add_key("issuing-2", "02")
            self.restart(ca_pkcs11_key="pkcs11:token=office;object=issuing-2;type=private")
            gateway.cli("ca", "rotate", "--root", root, "--passphrase", password=PIN)
            _, rows = self.show()
            self.assertEqual([(row["id"], row["state"]) for row in rows if row["kind"] == "issuing"], [(2, "active"), (1, "old")])
            suzuki = gateway.add_user("suzuki")
            for person in (sato, suzuki):
                person.new_totp()
                self.assertEqual(person.login().get("/api/me").json["account"], person.name)
        with self.subTest("without its file the PIN is wanted"):
            gateway.configure(ca_passphrase_file="")
            os.kill(gateway.pid("signer"), signal.SIGTERM)
            harness.until("a locked CA", lambda: gateway.state_of_ca() == "locked")
            with self.assertRaisesRegex(harness.CliError, '"error":"login"'):
                gateway.cli("ca", "unlock", password="999999")
            gateway.cli("ca", "unlock", password=PIN)
            self.assertEqual(gateway.state_of_ca(), "unlocked")
        self.assertNotIn(PIN, gateway.log())


if __name__ == "__main__":
    harness.main()
