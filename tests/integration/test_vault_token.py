#!/usr/bin/env python3
"""A token opens the vault."""

import os
import pathlib
import pwd
import subprocess

import harness
import vaults
from test_token import MODULE, PIN, SANITIZED, SO_PIN
from vaults import PASSPHRASE


class Token(vaults.Case):
    """SoftHSM as the token whose key may open the vault."""

    @classmethod
    def setUpClass(cls):
        harness.need("softhsm2-util", "pkcs11-tool")
        if not MODULE:
            harness.skip("needs softhsm2: deploy/deps test installs it")
        options = ["-e"] if SANITIZED else ["-e", "-m"]
        folders = subprocess.run(["openssl", "version", *options], capture_output=True, text=True).stdout.split('"')[1::2]
        if not any((pathlib.Path(folder) / "pkcs11.so").exists() for folder in folders):
            harness.skip("needs OpenSSL's pkcs11 provider or engine: deploy/deps installs it")
        super().setUpClass()
        gateway = cls.gateway
        cls.conf, cls.tokens = gateway.dir / "softhsm2.conf", gateway.dir / "tokens"
        cls.tokens.mkdir(0o700)
        cls.conf.write_text(f"directories.tokendir = {cls.tokens}\nobjectstore.backend = file\n")
        cls.tool("softhsm2-util", "--init-token", "--free", "--label", "office", "--pin", PIN, "--so-pin", SO_PIN)
        cls.tool("pkcs11-tool", "--module", MODULE, "--login", "--pin", PIN, "--token-label", "office", "--keypairgen",
                 "--key-type", "EC:prime256v1", "--usage-derive", "--label", "vault", "--id", "01")
        if harness.ROOT:
            owner = pwd.getpwnam("sekisho-vault")
            for path in [cls.tokens, *cls.tokens.rglob("*")]:
                os.chown(path, owner.pw_uid, owner.pw_gid)
        environment = f"SOFTHSM2_CONF={cls.conf}"
        if SANITIZED:
            environment += f" OPENSSL_MODULES={cls.tokens}"
        gateway.stop()
        gateway.configure(vault_pkcs11_module=MODULE, vault_pkcs11_dir=cls.tokens, vault_pkcs11_environment=environment,
                          vault_pkcs11_key="pkcs11:token=office;object=vault;type=private")
        gateway.start()

    @classmethod
    def tool(cls, *command):
        subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=60,
                       env=harness.environment(SOFTHSM2_CONF=str(cls.conf)))

    def test_the_token_opens_it(self):
        self.init()
        self.refused("not-found", "vault", "unseal", "--token", password=PIN)
        self.refused("login", "vault", "token", password=f"{PASSPHRASE}\n00000000")
        self.assertEqual(self.rows()["token"]["state"], "none")
        self.cli("vault", "token", password=f"{PASSPHRASE}\n{PIN}")
        self.assertEqual(self.rows()["token"]["state"], "ready")
        self.restart()
        self.assertEqual(self.state(), "sealed")
        self.refused("login", "vault", "unseal", "--token", password="00000000")
        self.cli("vault", "unseal", "--token", password=PIN)
        self.assertEqual(self.state(), "unsealed")
        # A rotation needs the token's public half alone.
        self.cli("vault", "rotate", password=PASSPHRASE)
        self.cli("vault", "seal")
        self.cli("vault", "unseal", "--token", password=PIN)
        self.cli("vault", "token", "--remove", password=f"{PASSPHRASE}\n{PIN}")
        self.cli("vault", "seal")
        self.refused("not-found", "vault", "unseal", "--token", password=PIN)
        self.cli("vault", "unseal", password=PASSPHRASE)


if __name__ == "__main__":
    harness.main()
