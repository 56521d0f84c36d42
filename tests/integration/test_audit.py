#!/usr/bin/env python3
"""The audit log from outside: a verifier written from docs/audit.md alone, tampering with the file, time stamps."""

import base64
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading

import harness

GREEN, AMBER, RED = 0, 4, 5


# ---- another verifier --------------------------------------------------------------------------------------------


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(leaves):
    """RFC 6962 §2.1, as it stands there."""
    if not leaves:
        return sha()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha(b"\1", root_of(leaves[:k]), root_of(leaves[k:]))


def number(value):
    return value.to_bytes(8, "big", signed=True)


def string(value):
    return number(len(value.encode())) + value.encode()


def leaf_text(entry):
    """The five lines of an entry, after its commitment was checked."""
    if not entry["disposed"]:
        payload = bytes.fromhex(entry["salt"]) + number(entry["device"]) + number(entry["host"])
        payload += b"".join(string(entry[name]) for name in ("account", "address", "session", "detail"))
        assert sha(payload).hex() == entry["commitment"], entry["seq"]
    return f'sekisho audit {entry["version"]}\n{entry["seq"]}\n{entry["time_ms"]}\n{entry["event"]}\n{entry["commitment"]}\n'.encode()


def verify_ed25519(key, signature, data):
    """By openssl, from the key's SubjectPublicKeyInfo (RFC 8410)."""
    with tempfile.TemporaryDirectory() as folder:
        parts = {"key": bytes.fromhex("302a300506032b6570032100") + key, "signature": signature, "data": data}
        for name, value in parts.items():
            (pathlib.Path(folder) / name).write_bytes(value)
        subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key", "-rawin", "-in", "data",
                        "-sigfile", "signature"], cwd=folder, check=True, capture_output=True)


def open_note(note, vkey):
    """c2sp.org/signed-note: the text of a note that the key has signed."""
    name, key_id, encoded = vkey.strip().split("+", 2)
    key = base64.b64decode(encoded)
    assert key[0] == 1 and sha(name.encode(), b"\n", key)[:4].hex() == key_id
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, blob = line.split(" ")
        blob = base64.b64decode(blob)
        if dash == "—" and signer == name and blob[:4].hex() == key_id:
            verify_ed25519(key[1:], blob[4:], text.encode())
            return text
    raise AssertionError("not signed by this key")


def tile(folder, level, index, width):
    """c2sp.org/tlog-tiles, for logs below a million entries."""
    path = f"{index // 1000:03d}" if index >= 1000 else ""
    assert not path, "not that large here"
    return (folder / "tile" / str(level) / (f"{index:03d}" + (f".p/{width}" if width < 256 else ""))).read_bytes()


def check_export(folder, vkey):
    """Everything that docs/audit.md says of an exported folder; the number of its entries."""
    entries = [json.loads(line) for line in (folder / "entries.jsonl").read_text().splitlines()]
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    texts = [leaf_text(entry) for entry in entries]
    leaves = [sha(b"\0", text) for text in texts]
    origin, size, root = open_note((folder / "checkpoint").read_text(), vkey).splitlines()
    assert origin == vkey.split("+")[0] and int(size) == len(leaves)
    assert base64.b64decode(root) == root_of(leaves)
    for line in (folder / "checkpoints.jsonl").read_text().splitlines():
        row = json.loads(line)
        _, size, root = open_note(row["note"], vkey).splitlines()
        assert int(size) == row["size"] and base64.b64decode(root) == root_of(leaves[:int(size)])
    for at in range(0, len(leaves), 256):
        width = min(256, len(leaves) - at)
        assert tile(folder, 0, at // 256, width) == b"".join(leaves[at:at + width])
        bundle = b"".join(len(text).to_bytes(2, "big") + text for text in texts[at:at + width])
        assert tile(folder, "entries", at // 256, width) == bundle
    full = len(leaves) // 256
    if full:
        assert tile(folder, 1, 0, full) == b"".join(root_of(leaves[256 * i:256 * (i + 1)]) for i in range(full))
    return len(entries)


# ---- an authority ------------------------------------------------------------------------------------------------


class Authority:
    """A time stamping authority: openssl ts, behind HTTP."""

    def __init__(self, folder):
        self.dir = folder
        folder.mkdir()
        self.ca = folder / "ca.pem"
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=TSA root", "-keyout", "ca.key", "-out", "ca.pem")
        self.openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=TSA", "-keyout", "tsa.key", "-out", "tsa.csr")
        (folder / "ext").write_text("extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n")
        self.openssl("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
                     "-extfile", "ext", "-out", "tsa.pem")
        (folder / "serial").write_text("01\n")
        (folder / "conf").write_text(
            f"[tsa]\ndefault_tsa=t\n[t]\nserial={folder}/serial\ncrypto_device=builtin\nsigner_cert={folder}/tsa.pem\n"
            f"signer_key={folder}/tsa.key\ncerts={folder}/ca.pem\ndefault_policy=1.2.3.4\nother_policies=1.2.3.4\n"
            "digests=sha256\naccuracy=secs:1\nordering=no\ntsa_name=no\ness_cert_id_chain=no\nsigner_digest=sha256\n"
            "ess_cert_id_alg=sha256\n")
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                query = folder / "query"
                query.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
                body = authority.answer(query).read_bytes()
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/tsa"

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=self.dir, check=True, capture_output=True)

    def answer(self, query):
        answer = query.with_suffix(".tsr")
        self.openssl("ts", "-reply", "-config", "conf", "-queryfile", query, "-out", answer)
        return answer

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Audit(harness.Case):
    def run_cli(self, *arguments, code=0):
        gateway = self.gateway
        done = subprocess.run([gateway.bin / "sekisho", "--config", gateway.settings_path, "--json", *map(str, arguments)],
                              capture_output=True, text=True, timeout=60, env=harness.environment())
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def state(self, name):
        return self.gateway.dir / "state" / name

    def checkpointed(self):
        """A new signer is asked at once: until it covers all entries."""
        os.kill(self.gateway.pid("signer"), signal.SIGTERM)

        def covered():
            with sqlite3.connect(self.state("broker/sekisho.db")) as db:
                entries, = db.execute("SELECT max(seq) FROM audit").fetchone()
                size, = db.execute("SELECT coalesce(max(size), 0) FROM audit_checkpoint").fetchone()
            db.close()
            return entries if size == entries else None

        return harness.until("a checkpoint", covered)

    def copy(self, name):
        """A whole copy of the database, as a backup makes it."""
        path = self.gateway.dir / name
        path.unlink(missing_ok=True)
        with sqlite3.connect(self.state("broker/sekisho.db")) as source, sqlite3.connect(path) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
        source.close()
        target.close()
        return path

    def tampered(self, name, *statements):
        path = self.copy(name)
        with sqlite3.connect(path) as db:
            triggers = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")]
            for statement in [f"DROP TRIGGER {trigger}" for trigger in triggers] + list(statements):
                db.execute(statement)
        db.close()
        return path

    def test_1_others_can_check_it(self):
        gateway = self.gateway
        for i in range(300):
            if i % 100 == 0:
                gateway.cli("user", "add", "--name", f"abe{i}", password="kaki-no-ki-42-yama")
        entries = self.checkpointed()
        verdict = self.run_cli("audit", "verify", code=GREEN)
        self.assertEqual((verdict["verdict"], verdict["finding"], verdict["entries"]), ("green", "sound", entries))
        vkey = gateway.cli("audit", "key")["key"]
        self.assertEqual(vkey, self.state("signer/audit/vkey").read_text().strip())
        folder = gateway.dir / "export"
        self.assertEqual(self.run_cli("audit", "export", "--out", folder)["entries"], entries)
        self.assertEqual(check_export(folder, vkey), entries)
        key = gateway.dir / "kept-key"
        key.write_text(vkey + "\n")
        self.assertEqual(self.run_cli("audit", "verify", "--file", folder, "--key", key)["verdict"], "green")
        self.assertEqual(self.run_cli("audit", "verify", "--file", folder, code=AMBER)["finding"], "no-key")
        # The folder is not written a second time.
        self.assertEqual(self.run_cli("audit", "export", "--out", folder, code=1)["error"], "exists")
        for name in ["checkpoint", "entries.jsonl", "checkpoints.jsonl", *(str(p.relative_to(folder)) for p in (folder / "tile").rglob("*") if p.is_file())]:
            with self.subTest(name):
                whole = (folder / name).read_bytes()
                for at in (len(whole) // 3, len(whole) - 2):
                    (folder / name).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
                    self.assertEqual(self.run_cli("audit", "verify", "--file", folder, "--key", key, code=RED)["verdict"], "red")
                (folder / name).write_bytes(whole)

    def test_2_tampering_is_named(self):
        key = self.state("signer/audit/vkey")
        entries = self.checkpointed()
        for name, finding, code, statements in [
            ("sound", "sound", GREEN, []),
            ("account", "payload-changed", RED, ["UPDATE audit SET account = 'x' WHERE seq = 3"]),
            ("event", "entry-changed", RED, ["UPDATE audit SET event = 'x' WHERE seq = 3"]),
            ("dropped", "entry-missing", RED, ["DELETE FROM audit WHERE seq = 3"]),
            ("swapped", "entry-changed", RED, ["UPDATE audit SET seq = -1 WHERE seq = 3", "UPDATE audit SET seq = 3 WHERE seq = 4",
                                               "UPDATE audit SET seq = 4 WHERE seq = -1"]),
            ("cut", "tail-cut", AMBER, [f"DELETE FROM audit WHERE seq > {entries - 2}"]),
        ]:
            with self.subTest(name):
                path = self.tampered(name, "PRAGMA ignore_check_constraints = ON", *statements)
                verdict = self.run_cli("audit", "verify", "--file", path, "--key", key, code=code)
                self.assertEqual(verdict["finding"], finding)
                if code == RED:
                    self.assertEqual(verdict["first_bad"], 3)
                    self.assertLessEqual(verdict["from"], verdict["to"])
        with self.subTest("bytes of the file"):
            path = self.copy("bytes")
            whole = path.read_bytes()
            for text in (b"account-add", b"kanri" if b"kanri" in whole else b"uid"):
                at = whole.index(text)
                path.write_bytes(whole[:at] + bytes([whole[at] ^ 2]) + whole[at + 1:])
                self.run_cli("audit", "verify", "--file", path, "--key", key, code=RED)
        with self.subTest("rubbish"):
            path.write_bytes(b"no database at all" * 1000)
            self.assertEqual(self.run_cli("audit", "verify", "--file", path, "--key", key, code=1)["field"], "file")

    def test_3_stamps(self):
        harness.need("openssl")
        gateway, authority = self.gateway, self.start(Authority(self.gateway.dir / "tsa"))
        self.checkpointed()
        request, stamp = gateway.dir / "request.tsq", gateway.dir / "fetched.tsr"
        self.run_cli("audit", "stamp", "--out", request)
        answer = authority.answer(request)
        entries = self.run_cli("audit", "stamp", "--in", answer, "--tsa", authority.ca)["entries"]
        fetched = self.run_cli("audit", "stamp", "--url", authority.url, "--out", stamp, "--tsa", authority.ca)
        self.assertEqual(fetched["entries"], entries)
        verdict = self.run_cli("audit", "verify", "--stamp", stamp, "--tsa", authority.ca)
        self.assertEqual((verdict["verdict"], verdict["stamped"]), ("green", fetched["stamped"]))
        # openssl's own judge agrees about what was stamped.
        with sqlite3.connect(self.state("broker/sekisho.db")) as db:
            note, = db.execute("SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1").fetchone()
        db.close()
        (gateway.dir / "note").write_text(note)
        subprocess.run(["openssl", "ts", "-verify", "-data", gateway.dir / "note", "-in", stamp, "-CAfile", authority.ca],
                       check=True, capture_output=True)
        other = self.start(Authority(gateway.dir / "other"))
        self.assertEqual(self.run_cli("audit", "stamp", "--in", answer, "--tsa", other.ca, code=1)["error"], "crypto")
        whole = answer.read_bytes()
        answer.write_bytes(whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
        self.run_cli("audit", "stamp", "--in", answer, "--tsa", authority.ca, code=1)
        self.run_cli("audit", "stamp", "--in", stamp, code=1)
        # Of something else.
        (gateway.dir / "data").write_text("something else")
        subprocess.run(["openssl", "ts", "-query", "-data", gateway.dir / "data", "-sha256", "-out", request], check=True,
                       capture_output=True)
        self.assertEqual(self.run_cli("audit", "stamp", "--in", authority.answer(request), "--tsa", authority.ca, code=1)["error"],
                         "not-found")

    def test_4_crashes_are_no_tampering(self):
        gateway = self.gateway
        for role in ("broker", "signer"):
            os.kill(gateway.pid(role), signal.SIGKILL)
            harness.until("the gateway", gateway.is_up)
            gateway.cli("user", "disable", "--name", "abe0")
            gateway.cli("user", "enable", "--name", "abe0")
            newest = gateway.rows("audit", "list", "--last", 1)[0]
            self.assertEqual(newest["event"], "account-enable")
            self.checkpointed()
            self.assertEqual(self.run_cli("audit", "verify")["verdict"], "green")
        with self.subTest("a copy in the middle of writing"):
            copy = gateway.dir / "power"
            copy.mkdir()
            for name in ("sekisho.db", "sekisho.db-wal"):
                shutil.copy(self.state("broker") / name, copy / name)
            verdict = self.run_cli("audit", "verify", "--file", copy / "sekisho.db", "--key", self.state("signer/audit/vkey"))
            self.assertEqual(verdict["verdict"], "green")

    def test_5_an_older_database_is_an_alarm(self):
        gateway = self.gateway
        self.checkpointed()
        old = self.copy("old")
        gateway.cli("user", "disable", "--name", "abe0")
        self.checkpointed()
        self.assertEqual(gateway.rows("audit", "alarms"), [])
        self.assertTrue(gateway.stop())
        owner = self.state("broker/sekisho.db").stat()
        for name in ("sekisho.db", "sekisho.db-wal", "sekisho.db-shm"):
            (self.state("broker") / name).unlink(missing_ok=True)
        shutil.copy(old, self.state("broker/sekisho.db"))
        os.chown(self.state("broker/sekisho.db"), owner.st_uid, owner.st_gid)
        verdict = self.run_cli("audit", "verify", code=AMBER)
        self.assertEqual(verdict["finding"], "tail-cut")
        gateway.start()
        alarm = harness.until("an alarm", lambda: gateway.rows("audit", "alarms"))[0]
        self.assertIn(json.loads(alarm["detail"])["kind"], ("rolled-back", "contradiction"))
        with self.subTest("the way on: a new key, and both are known"):
            keys = gateway.dir / "keys"
            keys.write_text(self.state("signer/audit/vkey").read_text())
            self.assertTrue(gateway.stop())
            self.state("signer/audit").rename(gateway.dir / "kept")
            gateway.start()
            self.checkpointed()
            with keys.open("a") as file:
                file.write(self.state("signer/audit/vkey").read_text())
            self.assertEqual(self.run_cli("audit", "verify", "--key", keys)["verdict"], "green")
            # What was lost stays provable.
            copy = self.copy("after")
            verdict = self.run_cli("audit", "verify", "--file", copy, "--key", keys, "--checkpoint", gateway.dir / "kept/checkpoint", code=RED)
            self.assertIn(verdict["finding"], ("history-rewritten", "fork"))


if __name__ == "__main__":
    harness.main()
