#!/usr/bin/env python3
"""Nothing of what the vault keeps is anywhere in the clear: recognisable numbers, names, documents and secrets are entered, used
in every way there is, and then searched for in all that the gateway, its processes' deaths and its backups have left on a disk."""

import base64
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import time

import canaries
import collectors
import desktops
import harness
import stream
import transfers
import vaults

# This run's own, as other tests may leave theirs beside it.
PASSPHRASE, CHOSEN = (f"{word}-{os.urandom(6).hex()}" for word in ("iwato", "uzume"))
vaults.PASSPHRASE = PASSPHRASE
# ASan would write reports and end the process itself; here the kernel does with it what it does in an office.
PLAIN = "handle_segv=0:handle_abort=0:disable_coredump=0"


class Canary(transfers.Case, collectors.Case):
    @classmethod
    def setUpClass(cls):
        harness.need("rsyslogd", "sqlite3")
        cls.begun = time.time()
        # Where a core would be written: core_pattern is a name here, or the control below says that it is not.
        cls.cores = tempfile.mkdtemp(prefix="sekisho-cores-")
        os.chmod(cls.cores, 0o1777)
        cls.addClassCleanup(shutil.rmtree, cls.cores)
        cls.addClassCleanup(os.chdir, os.getcwd())
        os.chdir(cls.cores)
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        plain = harness.environment
        harness.environment = lambda **more: plain(**more) | {"ASAN_OPTIONS": plain()["ASAN_OPTIONS"] + ":" + PLAIN}
        super().setUpClass()
        harness.environment = plain
        cls.collector = cls.rsyslog()

    # -- what is planted ----------------------------------------------------------------------------------------

    def plant(self):
        self.secrets = {"passphrase": PASSPHRASE, "chosen passphrase": CHOSEN}
        for what in ("number", "changed number", "imported number", "wrong number"):
            self.secrets[what] = canaries.personal_number()
        for what in ("client", "client's reading", "person", "renamed person", "imported person", "field", "why", "document", "file name"):
            self.secrets[what] = canaries.name()
        for name, person in self.people.items():
            self.secrets |= {f"{name}'s TOTP secret": person.totp.secret, f"{name}'s TOTP key": person.totp.key}

    def people_and_numbers(self):
        """A client, and a person who is collected, changed, shown and looked for; everything that staff types."""
        planted = self.secrets
        purpose, kept = self.rules()
        laid_down = {"class": kept, "purposes": [purpose]}
        self.answer("kimeru", "template set", {"kind": 2, "fields": [{"key": "memo", "ja": "メモ", "en": "Memo", "required": False}]})
        client = self.answer("kimeru", "client add", laid_down | {"name": planted["client"], "kana": planted["client's reading"], "fields": {}})["record"]
        self.answer("kimeru", "grant set", {"account": self.number("tsukau"), "client": client, "level": 3, "number": True,
                                            "document": transfers.CO_OWNER})
        wish = laid_down | {"kind": 1, "record_kind": 2, "client": client, "name": planted["person"], "kana": "", "why": planted["why"],
                            "fields": {"memo": planted["field"]}, "number": planted["number"], "again": planted["number"]}
        self.ask("tsukau", "request add", wish | {"number": planted["wrong number"]})  # twice not the same: refused
        self.ask("tsukau", "request add", wish | {"no such member": planted["field"]})
        asked = self.answer("tsukau", "request add", wish)
        self.answer("kimeru", "request approve", {"requests": asked["requests"], "answer": planted["why"]})
        record = asked["record"]
        self.answer("tsukau", "record change", {"record": record, "name": planted["renamed person"], "kana": "", "fields": {"memo": planted["field"]}})
        changed = self.answer("tsukau", "record number set", {"record": record, "number": planted["changed number"],
                                                              "again": planted["changed number"]})["request"]
        self.answer("kimeru", "request approve", {"requests": [changed], "answer": ""})
        for text in (planted["renamed person"], planted["person"]):
            self.answer("tsukau", "record list", {"client": client, "text": text})
        for number in (planted["changed number"], planted["wrong number"]):
            self.answer("tsukau", "record find", {"number": number})
        return client, record, purpose, kept

    def reveal(self, record, purpose):
        wish = {"record": record, "purpose": purpose}
        self.ask("tsukau", "record reveal", wish | {"code": "000000"})
        answer = self.answer("tsukau", "record reveal", wish | {"code": self.fresh_code("tsukau")})
        self.assertEqual(answer["number"], self.secrets["changed number"])

    def bring_in_and_take_out(self, client, purpose, kept):
        planted = self.secrets
        table = f"種別,氏名,番号\n従業員,{planted['imported person']},{planted['imported number']}\n".encode("cp932", "replace")
        table = table if b"?" not in table else f"種別,氏名,番号\n従業員,{planted['imported person']},{planted['imported number']}\n".encode()
        number = self.answer("tsukau", "import begin", {"client": client, "kind": 2, "class": kept, "purposes": [purpose]})["import"]
        self.answer("tsukau", "import add", {"import": number, "offset": 0, "data": base64.b64encode(table).decode()})
        self.assertEqual(self.answer("tsukau", "import preview", {"import": number, "after": 0})["error_count"], 0)
        self.answer("tsukau", "import ask", {"import": number})
        self.answer("kimeru", "import apply", {"import": number, "code": self.fresh_code("kimeru")})
        pem, key = self.gateway.dir / "recipient.pem", self.gateway.dir / "recipient.key"
        harness.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", key, "-out", pem,
                    "-days", "30", "-subj", "/CN=tax office", "-addext", "keyUsage=critical,keyAgreement",
                    "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectKeyIdentifier=hash")
        made = self.answer("tsukau", "export make", {"client": client, "purpose": purpose, "numbers": True, "recipient": pem.read_text(),
                                                     "code": self.fresh_code("tsukau")})
        self.assertEqual(made["rows"], 3)
        piece = self.answer("tsukau", "export next", {"export": made["export"], "offset": 0})
        (self.gateway.dir / "export.cms").write_bytes(base64.b64decode(piece["data"]))
        opened = subprocess.run(["openssl", "cms", "-decrypt", "-inform", "DER", "-inkey", key, "-recip", pem],
                                input=base64.b64decode(piece["data"]), capture_output=True, check=False).stdout
        if opened:  # OpenSSL 3.0 opens no AuthEnvelopedData of every kind; what it opens has to be what was asked for
            self.assertIn(planted["imported number"].encode(), opened)

    def documents(self, record):
        planted = self.secrets
        type(self).record = record
        text = (planted["document"] * 40 + planted["changed number"]).encode()
        document = self.brought("tsukau", planted["file name"] + ".txt", text)
        self.assertEqual(self.fetch("tsukau", document), (text, "none"))
        picture = self.brought("tsukau", planted["file name"] + ".png", transfers.png())
        to = self.stream_of("tsukau", self.ask("tsukau", "document preview", {"document": picture}))
        pages, got = transfers.show(to, 1)
        to.drop()
        self.assertEqual((pages, got[:4]), (1, b"\x89PNG"))
        self.bring("tsukau", planted["file name"] + ".txt", text, document)
        return document, text

    def seal(self):
        """Everything that opens the vault, or does not."""
        sheets = self.cli("vault", "shares", password=PASSPHRASE)["sheets"]
        self.cli("vault", "check", password=self.typed(sheets[1]))
        sheets += self.cli("vault", "recover", password=self.typed(*sheets[:2]) + "\n" + CHOSEN)["sheets"]
        self.cli("vault", "passphrase", password=f"{CHOSEN}\n{PASSPHRASE}")
        self.secrets |= {f"row {at}": row.replace("-", "") for at, row in enumerate(row for sheet in sheets for row in sheet)}
        self.secrets |= {f"typed row {at}": row for at, row in enumerate(row for sheet in sheets for row in sheet)}

    # -- what is left -------------------------------------------------------------------------------------------

    def back_up(self):
        """As the guide says, with a gateway that goes on: the database first, and the vault while it is sealed."""
        state, copy = self.gateway.dir / "state", self.gateway.dir / "backup"
        copy.mkdir(mode=0o700)
        (copy / "broker").mkdir(mode=0o700)
        harness.run("sqlite3", state / "broker" / "sekisho.db", f".backup '{copy}/broker/sekisho.db'")
        self.cli("vault", "seal")
        harness.run("cp", "-a", state / "vault", copy)
        self.cli("vault", "unseal", password=PASSPHRASE)
        for path in state.iterdir():
            if path.name not in ("broker", "vault"):
                harness.run("cp", "-a", path, copy)
        harness.run("sh", "-c", f'cd "{state}/broker" && for f in *; do case $f in sekisho.db*) ;; *) cp -a "$f" "{copy}/broker/" ;; esac; done')
        for path in (copy, copy / "broker", copy / "broker" / "sekisho.db"):
            owner = (state / path.relative_to(copy)).stat()
            if harness.ROOT:
                os.chown(path, owner.st_uid, owner.st_gid)
            path.chmod(owner.st_mode & 0o777)
        return copy

    def restore(self, copy, record, document, text):
        """What was backed up is all that it takes."""
        self.assertTrue(self.gateway.stop())
        state = self.gateway.dir / "state"
        state.rename(self.gateway.dir / "lost")
        harness.run("cp", "-a", copy, state)
        self.gateway.start()
        self.cli("vault", "unseal", password=PASSPHRASE)
        self.assertEqual(self.answer("tsukau", "record show", {"record": record})["name"], self.secrets["renamed person"])
        self.assertEqual(self.fetch("tsukau", document, 1), (text, "none"))

    def cores_are_possible(self):
        """Whether a process that lets it is written as a core into this folder."""
        process = subprocess.Popen(["sleep", "60"])
        process.send_signal(signal.SIGSEGV)
        process.wait()
        written = list(pathlib.Path(self.cores).iterdir())
        for path in written:
            path.unlink()
        return bool(written)

    def die(self):
        """Every process by a signal that ends in a core, as its bug would."""
        possible = self.cores_are_possible()
        victims = {role: self.gateway.pid(role) for role in ("vault", "broker", "edge", "signer", "probe", "siem", "worker")}
        for at, (role, pid) in enumerate(victims.items()):
            with self.subTest(role):
                self.assertRegex(pathlib.Path(f"/proc/{pid}/limits").read_text(), r"Max core file size +0 +0 ")
                self.cannot_be_read(role, pid)
                self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), self.cores)
                os.kill(pid, (signal.SIGSEGV, signal.SIGABRT)[at % 2])
                harness.until("it to be gone", lambda pid=pid: not os.path.exists(f"/proc/{pid}/maps") or self.gateway._alive(pid) is False)
        self.assertEqual(list(pathlib.Path(self.cores).iterdir()), [])
        print("cores would be written here:", possible)
        harness.until("the gateway to be up again", self.gateway.is_up, 60)
        self.cli("vault", "unseal", password=PASSPHRASE)

    def cannot_be_read(self, role, pid):
        """Not even by a process of the same user (PR_SET_DUMPABLE)."""
        if not harness.ROOT:
            return
        self.assertEqual(os.stat(f"/proc/{pid}/mem").st_uid, 0, role)
        real = next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("Uid:"))
        self.assertNotEqual(real, 0, role)
        look = ["python3", "-c", "import sys; open(sys.argv[1], 'rb')"]
        done = subprocess.run([*look, f"/proc/{pid}/mem"], user=real, group=real, extra_groups=[], capture_output=True, check=False)
        self.assertIn(b"PermissionError", done.stderr)
        other = subprocess.Popen(["sleep", "60"], user=real, group=real, extra_groups=[])
        done = subprocess.run([*look, f"/proc/{other.pid}/mem"], user=real, group=real, extra_groups=[], capture_output=True, check=False)
        other.kill()
        other.wait()
        if done.returncode:
            print("of this user no process may be read here (yama): the check above shows nothing")

    def places(self):
        """Everything on a disk that could have something."""
        programs = {self.gateway.dir / "bin", self.gateway.dir / "viewer"}
        yield from (path for path in self.gateway.dir.rglob("*") if programs.isdisjoint(path.parents))
        for folder in {tempfile.gettempdir(), "/var/tmp", "/dev/shm", self.cores, "/var/crash", "/var/lib/systemd/coredump"}:
            yield from (path for path in canaries.newer(folder, self.begun) if self.gateway.dir not in path.parents)

    def expect_nothing(self):
        search = canaries.Search(self.secrets)
        # That it finds what is there.
        for what, secret in self.secrets.items():
            for form in canaries.forms(secret):
                self.assertIn(what, search.data(b"before " + form + b" after"))
        paths = list(self.places())
        names = {path.name for path in paths}
        self.assertLessEqual({"sekisho.db", "records.db", "keys.db", "root.json", "gateway.log", "audit.log", "export.cms"}, names)
        self.assertTrue([path for path in paths if path.suffix == ".skr"], "recordings")
        self.assertTrue([path for path in paths if "backup" in path.parts], "backups")
        self.assertTrue([path for path in paths if "audit-export" in path.parts], "the log as it is handed out")
        self.assertEqual(search.files(paths), {})

    def test_nothing_is_anywhere(self):
        self.plant()
        gateway = self.gateway
        pc = self.start(desktops.BareVnc(gateway.dir / "bare"))
        host = gateway.add_host("経理PC", "vnc", pc.port, user="tsukau", security="none")
        client, record, purpose, kept = self.people_and_numbers()
        session = self.browsers["tsukau"].open_session(host).json["id"]
        viewer = stream.Viewer(self.browsers["tsukau"], session).until_picture(30)
        self.reveal(record, purpose)
        self.bring_in_and_take_out(client, purpose, kept)
        document, text = self.documents(record)
        self.seal()
        copy = self.back_up()
        self.caught_up()
        gateway.cli("audit", "export", "--out", gateway.dir / "audit-export")
        self.die()
        viewer.close()
        self.reveal(record, purpose)
        self.restore(copy, record, document, text)
        self.assertTrue(gateway.stop())
        self.expect_nothing()


if __name__ == "__main__":
    harness.main()
