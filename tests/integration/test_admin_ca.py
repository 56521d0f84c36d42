#!/usr/bin/env python3
"""The office's CA by the command line: a root for the safe, a passphrase, rotation, certificates for auditors."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import harness

PASSPHRASE = "kaki-no-ki-42-yama"


def openssl(*arguments, **kw):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True, **kw).stdout


class Between:
    """An admin socket that hands everything on to the gateway's, and kills the command line at one point."""

    MESSAGE_MAX = 256 * 1024

    def __init__(self, gateway, at):
        """at: "request" or "answer" and which; the killed one gets neither."""
        self.at, self.gateway = at, gateway
        self.dir = pathlib.Path(tempfile.mkdtemp())
        self.settings = self.dir / "sekisho.conf"
        self.settings.write_text(gateway.settings_path.read_text().replace(str(gateway.dir / "run"), str(self.dir)))
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(self.dir / "admin.sock"))
        self.listener.listen(8)
        self.killed = threading.Event()

    def pass_on(self, count, peer):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as real:
            real.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.MESSAGE_MAX)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.MESSAGE_MAX)
            real.connect(str(self.gateway.dir / "run" / "admin.sock"))
            for name, source, target in (("request", peer, real), ("answer", real, peer)):
                message = source.recv(self.MESSAGE_MAX)
                if self.at == (name, count):
                    os.kill(self.child.pid, signal.SIGKILL)
                    self.killed.set()
                    return
                target.send(message)

    def serve(self):
        count = 0
        while not self.killed.is_set():
            peer, _ = self.listener.accept()
            count += 1
            with peer:
                self.pass_on(count, peer)

    def run(self, *arguments):
        self.child = subprocess.Popen([self.gateway.bin / "sekisho", "--config", self.settings, *map(str, arguments)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      env=harness.environment())
        thread = threading.Thread(target=self.serve, daemon=True)
        thread.start()
        self.child.communicate((PASSPHRASE + "\n").encode(), timeout=60)
        thread.join(10)
        self.listener.close()
        shutil.rmtree(self.dir)
        return self.child.returncode


class AdminCa(harness.Case):
    def refused(self, *arguments, field, password=None):
        def answered():
            done = subprocess.run([self.gateway.bin / "sekisho", "--config", self.gateway.settings_path, *map(str, arguments)],
                                  input=(password or "") + "\n", capture_output=True, text=True,
                                  env=harness.environment(LC_ALL="ja_JP.UTF-8"), timeout=60)
            self.assertEqual(done.returncode, 1, done)
            return None if "試行回数が多すぎます" in done.stderr else done

        done = harness.until("the signer to take another order", answered, 30, 1)
        self.assertRegex(done.stderr, f"^sekisho: {field}: .*[ぁ-んァ-ン一-龥]" if field else "ルート CA の鍵はもう")
        return done.stderr

    @staticmethod
    def patient(cli):
        """The signer changes a CA only so often in a minute, which a fast machine uses up here."""
        def run(*arguments, **kw):
            answers = []

            def answered():
                try:
                    answers.append(cli(*arguments, **kw))
                except harness.CliError as error:
                    if '"error":"throttled"' not in str(error):
                        raise
                return answers

            return harness.until("the signer to take another order", answered, 30, 1)[0]

        return run

    @staticmethod
    def orders(events):
        """Without those that came too soon after others."""
        taken = []
        for event, detail in events:
            if event == "ca-refused" and '"throttled"' in detail:
                taken.pop()
            elif event in ("ca-init", "ca-take-root", "ca-rotate", "ca-unlock", "ca-lock"):
                taken.append(event)
        return taken

    def show(self):
        answer = self.gateway.cli("ca", "show")
        return answer, [dict(zip(answer["columns"], row)) for row in answer["rows"]]

    def root_keys(self):
        return list(self.gateway.dir.glob("state/signer/ca/*/root.key"))

    def state_of_ca(self):
        return next((row["state"] for row in self.gateway.rows("status") if row["part"] == "ca"), None)

    def test_the_life_of_a_ca(self):
        """In order: each step needs the one before."""
        gateway = self.gateway
        gateway.cli = self.patient(gateway.cli)
        with self.subTest("a weak passphrase changes nothing"):
            before, _ = self.show()
            self.assertIn("12 文字以上", self.refused("ca", "init", field="passphrase", password="abc"))
            self.assertEqual(self.show()[0], before)
        with self.subTest("a command line that is killed on the way loses nothing"):
            for number, at in enumerate([("answer", 2), ("request", 3)]):
                file = gateway.dir / f"lost-{number}.pem"
                self.assertEqual(Between(gateway, at).run("ca", "init", "--take-root", file), -signal.SIGKILL, at)
                self.assertEqual(self.show()[0]["root_key"], "gateway", at)
                self.assertEqual(file.exists(), at == ("request", 3), at)
                self.assertTrue(self.root_keys(), at)
            # The one that had written its file: both are the root's key, until somebody takes it for good.
            fingerprint = self.show()[0]["sha256"]
            again = gateway.dir / "again.pem"
            taken = gateway.cli("ca", "take-root", "--out", again, password=PASSPHRASE)
            self.assertEqual((taken["sha256"], taken["root_key"]), (fingerprint, "elsewhere"))
            self.assertEqual(*(openssl("pkey", "-in", path, "-passin", f"pass:{PASSPHRASE}", "-pubout") for path in (file, again)))
            self.assertFalse(self.root_keys())
            # One that is killed when it was done already has it too.
            self.refused("ca", "take-root", "--out", gateway.dir / "none.pem", field=None, password=PASSPHRASE)
            self.assertFalse((gateway.dir / "none.pem").exists())
        with self.subTest("the root's key goes into the safe"):
            before, _ = self.show()
            root = gateway.dir / "root.pem"
            made = gateway.cli("ca", "init", "--take-root", root, password=PASSPHRASE)
            self.assertEqual(made["file"], str(root))
            self.assertNotIn("root", made)
            self.assertEqual(made["root_key"], "elsewhere")
            self.assertNotEqual(made["sha256"], before["sha256"])
            self.assertEqual(root.stat().st_mode & 0o777, 0o600)
            self.assertIn("BEGIN ENCRYPTED PRIVATE KEY", root.read_text())
            openssl("pkey", "-in", root, "-passin", f"pass:{PASSPHRASE}", "-noout")
            self.assertFalse(self.root_keys())
        with self.subTest("rotation needs passphrase and key"):
            self.refused("ca", "rotate", field="passphrase")
            self.refused("ca", "rotate", "--passphrase", field="root", password=PASSPHRASE)
            self.refused("ca", "rotate", "--root", root, "--passphrase", field="passphrase", password="wrong-" + PASSPHRASE)
        with self.subTest("the old CA goes on"):
            gateway.cli("ca", "rotate", "--root", root, "--passphrase", password=PASSPHRASE)
            answer, rows = self.show()
            self.assertEqual(answer["sha256"], made["sha256"])
            self.assertEqual([row["state"] for row in rows if row["kind"] == "issuing"], ["active", "old"])
        with self.subTest("a file that is there is not overwritten"):
            self.refused("ca", "rotate", "--new-root", "--take-root", root, "--passphrase", field="take-root",
                         password=PASSPHRASE)
        with self.subTest("a new root"):
            gateway.cli("ca", "rotate", "--new-root", "--passphrase", password=PASSPHRASE)
            answer, rows = self.show()
            self.assertNotEqual(answer["sha256"], made["sha256"])
            self.assertEqual([row["state"] for row in rows if row["kind"] == "root"], ["active", "old"])
        with self.subTest("certificates for others"):
            root_file, chain = gateway.dir / "root.crt", gateway.dir / "chain.crt"
            gateway.cli("ca", "export", "--out", root_file)
            gateway.cli("ca", "export", "--what", "chain", "--out", chain)
            self.assertEqual(root_file.read_text(), answer["certificate"])
            self.assertEqual(chain.read_text().count("BEGIN CERTIFICATE"), 5)
        with self.subTest("an auditor"):
            request, file = gateway.dir / "auditor.csr", gateway.dir / "auditor.crt"
            openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x",
                    "-keyout", gateway.dir / "auditor.key", "-out", request)
            gateway.cli("auditor", "certify", "--name", "監査 太郎", "--csr", request, "--out", file)
            self.assertIn("OK", openssl("verify", "-CAfile", root_file, "-untrusted", file, file))
            self.assertIn("監査 太郎", openssl("x509", "-in", file, "-noout", "-subject", "-nameopt", "utf8"))
        with self.subTest("after a start the passphrase is wanted"):
            os.kill(gateway.pid("signer"), signal.SIGTERM)
            harness.until("a locked CA", lambda: self.state_of_ca() == "locked")
            self.refused("ca", "unlock", field="passphrase", password="wrong-" + PASSPHRASE)
            self.assertEqual(self.state_of_ca(), "locked")
            self.assertIs(gateway.cli("ca", "unlock", password=PASSPHRASE)["locked"], False)
            self.assertEqual(self.state_of_ca(), "unlocked")
        with self.subTest("a device, and then never a CA anew"):
            self.gateway.add_user("sato")
            with self.assertRaisesRegex(harness.CliError, '"error":"state"'):
                gateway.cli("ca", "init", password=PASSPHRASE)
        events = [(row["event"], row["detail"]) for row in gateway.rows("audit", "list", "--last", 200)]
        self.assertEqual([event for event in self.orders(events) if event in ("ca-init", "ca-unlock", "ca-rotate")],
                         2 * ["ca-init"] + ["ca-init", "ca-rotate", "ca-rotate", "ca-rotate", "ca-rotate", "ca-rotate", "ca-unlock", "ca-unlock",
                          "ca-init"])
        self.assertFalse([detail for _, detail in events if PASSPHRASE in detail])
        self.assertNotIn(PASSPHRASE, gateway.log())


if __name__ == "__main__":
    harness.main()
