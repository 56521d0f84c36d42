#!/usr/bin/env python3
"""The machine itself opens the vault when the gateway starts."""

import os
import socket
import struct

import harness
import tpm
import vaults
from vaults import PASSPHRASE


class Machine(vaults.Case):
    """systemd-creds with a TPM made of software."""

    @classmethod
    def setUpClass(cls):
        harness.need("systemd-creds", "swtpm")
        super().setUpClass()
        cls.tpm = cls.start_tpm("tpm")

    @classmethod
    def start_tpm(cls, name):
        return cls.start(tpm.Tpm(cls.gateway.dir / name))

    def seal_to_machine(self, credential, machine=None):
        return (machine or self.tpm).run(self.gateway.bin / "sekisho", "--config", self.gateway.settings_path, "--json", "vault",
                                         "machine", "--out", credential, input=PASSPHRASE.encode() + b"\n")

    def test_the_machine_opens_it_at_its_start(self):
        self.init()
        credential = self.gateway.dir / "vault.cred"
        done = self.seal_to_machine(credential)
        self.assertEqual(done.returncode, 0, done)
        self.assertNotIn(b"sekisho-machine-", done.stdout)
        self.assertNotIn(b"sekisho-machine-", credential.read_bytes())
        opened = self.tpm.run("systemd-creds", "decrypt", "--name=sekisho-vault", credential, "-")
        self.assertTrue(opened.stdout.startswith(b"sekisho-machine-"), opened)
        # As systemd hands it over: a file for root alone.
        handed = self.gateway.dir / "credential"
        handed.write_bytes(opened.stdout)
        handed.chmod(0o600)
        self.gateway.stop()
        self.gateway.configure(vault_passphrase_file=handed)
        self.gateway.start()
        self.assertEqual(self.state(), "unsealed")
        self.assertEqual(self.rows()["machine"]["state"], "ready")
        # A rotation leaves it good; taken away it opens nothing.
        self.cli("vault", "rotate", password=PASSPHRASE)
        self.restart()
        self.assertEqual(self.state(), "unsealed")
        self.cli("vault", "machine", "--remove", password=PASSPHRASE)
        self.restart()
        self.assertEqual(self.state(), "sealed")
        self.cli("vault", "unseal", password=PASSPHRASE)
        self.gateway.configure(vault_passphrase_file="")

    def extend(self, machine, number):
        """TPM2_PCR_Extend (TPM 2.0 part 3, 22.2) of the SHA-256 bank, as a boot does with what it finds."""
        session = bytes.fromhex("40000009 0000 00 0000")
        body = struct.pack(">II", number, len(session)) + session + struct.pack(">IH", 1, 0x000b) + os.urandom(32)
        with socket.create_connection(("127.0.0.1", machine.port), 10) as connection:
            connection.sendall(struct.pack(">HII", 0x8002, 10 + len(body), 0x182) + body)
            self.assertEqual(struct.unpack(">HII", connection.recv(64)[:10])[2], 0)

    def test_a_machine_that_starts_in_another_way_does_not_open_it(self):
        self.init()
        machine, credential = self.start_tpm("booting"), self.gateway.dir / "bound.cred"
        self.assertEqual(self.seal_to_machine(credential, machine).returncode, 0)
        decrypt = ("systemd-creds", "decrypt", "--name=sekisho-vault", credential, "-")
        # A new kernel (PCR 11) is the same machine; without Secure Boot (PCR 7) it is another.
        self.extend(machine, 11)
        self.assertTrue(machine.run(*decrypt).stdout.startswith(b"sekisho-machine-"))
        self.extend(machine, 7)
        done = machine.run(*decrypt)
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn(b"sekisho-machine-", done.stdout)

    def test_another_tpm_does_not_open_it(self):
        self.init()
        credential = self.gateway.dir / "other.cred"
        self.assertEqual(self.seal_to_machine(credential).returncode, 0)
        done = self.start_tpm("other").run("systemd-creds", "decrypt", "--name=sekisho-vault", credential, "-")
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn(b"sekisho-machine-", done.stdout)


if __name__ == "__main__":
    harness.main()
