#!/usr/bin/env python3
"""The machine itself opens the vault when the gateway starts."""

import os
import pathlib
import socket
import struct
import subprocess

import harness
import vaults
from vaults import PASSPHRASE


class Machine(vaults.Case):
    """systemd-creds with a TPM made of software."""

    @classmethod
    def setUpClass(cls):
        harness.need("systemd-creds", "swtpm")
        super().setUpClass()
        cls.port = cls.start_tpm("tpm")

    @classmethod
    def start_tpm(cls, name):
        """Where a TPM of its own listens; its control port is the next one, as libtss2 has it."""
        folder, port = cls.gateway.dir / name, harness.free_port()
        folder.mkdir()
        cls.start(harness.Process(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}", "--server", f"type=tcp,port={port},bindaddr=127.0.0.1",
             "--ctrl", f"type=tcp,port={port + 1},bindaddr=127.0.0.1", "--flags", "not-need-init,startup-clear"],
            cls.gateway.dir / f"{name}.log"))
        harness.until("the TPM", lambda: f":{port:04X} 00000000:0000 0A" in pathlib.Path("/proc/net/tcp").read_text())
        return port

    def with_tpm(self, *command, port=None, **kw):
        return subprocess.run([str(word) for word in command], capture_output=True, timeout=60, env=harness.environment(
            SYSTEMD_TPM2_DEVICE=f"swtpm:host=127.0.0.1,port={port or self.port}"), **kw)

    def seal_to_machine(self, credential):
        return self.with_tpm(self.gateway.bin / "sekisho", "--config", self.gateway.settings_path, "--json", "vault", "machine",
                             "--out", credential, input=PASSPHRASE.encode() + b"\n")

    def test_the_machine_opens_it_at_its_start(self):
        self.init()
        credential = self.gateway.dir / "vault.cred"
        done = self.seal_to_machine(credential)
        self.assertEqual(done.returncode, 0, done)
        self.assertNotIn(b"sekisho-machine-", done.stdout)
        self.assertNotIn(b"sekisho-machine-", credential.read_bytes())
        opened = self.with_tpm("systemd-creds", "decrypt", "--name=sekisho-vault", credential, "-")
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

    def extend(self, port, number):
        """TPM2_PCR_Extend (TPM 2.0 part 3, 22.2) of the SHA-256 bank, as a boot does with what it finds."""
        session = bytes.fromhex("40000009 0000 00 0000")
        body = struct.pack(">II", number, len(session)) + session + struct.pack(">IH", 1, 0x000b) + os.urandom(32)
        with socket.create_connection(("127.0.0.1", port), 10) as tpm:
            tpm.sendall(struct.pack(">HII", 0x8002, 10 + len(body), 0x182) + body)
            self.assertEqual(struct.unpack(">HII", tpm.recv(64)[:10])[2], 0)

    def test_a_machine_that_starts_in_another_way_does_not_open_it(self):
        self.init()
        port = self.start_tpm("booting")
        credential = self.gateway.dir / "bound.cred"
        type(self).port, usual = port, self.port
        self.addCleanup(setattr, type(self), "port", usual)
        self.assertEqual(self.seal_to_machine(credential).returncode, 0)
        decrypt = ("systemd-creds", "decrypt", "--name=sekisho-vault", credential, "-")
        # A new kernel (PCR 11) is the same machine; without Secure Boot (PCR 7) it is another.
        self.extend(port, 11)
        self.assertTrue(self.with_tpm(*decrypt).stdout.startswith(b"sekisho-machine-"))
        self.extend(port, 7)
        done = self.with_tpm(*decrypt)
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn(b"sekisho-machine-", done.stdout)

    def test_another_tpm_does_not_open_it(self):
        self.init()
        credential = self.gateway.dir / "other.cred"
        self.assertEqual(self.seal_to_machine(credential).returncode, 0)
        done = self.with_tpm("systemd-creds", "decrypt", "--name=sekisho-vault", credential, "-", port=self.start_tpm("other"))
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn(b"sekisho-machine-", done.stdout)


if __name__ == "__main__":
    harness.main()
