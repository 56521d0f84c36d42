#!/usr/bin/env python3
"""Recordings of real sessions, opened by an auditor through the whole gateway."""

import json
import os
import signal

import auditing
import client
import desktops
import harness


class Playing(auditing.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.BareVnc(cls.gateway.dir / "bare"))
        cls.number = cls.host_for(cls.pc, "経理PC", security="none")

    def test_every_chunk_reaches_the_player(self):
        recording = self.record(self.number)
        shown = self.recording(recording)
        self.assertEqual((shown["person"], shown["full_name"], shown["pc"], shown["device"], shown["state"],
                          shown["hold"]), ("sato", "sato 花子", "経理PC", "laptop", "ended", False))
        self.assertEqual(shown["address"], self.sato.address)
        self.assertEqual(shown["size"], self.file_of(recording).stat().st_size)
        self.assertLess(shown["started"], shown["ended"])
        player = self.play(recording)
        opened = self.log_of("recording-open", recording)
        self.assertEqual([json.loads(e["detail"]) for e in opened], [{"purpose": "月例の点検"}])
        self.assertEqual(opened[0]["account"], "kansa")
        self.assertEqual(player.verdict, "green", player.info)
        self.assertEqual(json.loads(player.info["verdict_detail"])["fault"], "none")
        meta = json.loads(player.info["meta"])
        self.assertEqual((meta["session"], meta["account"], meta["host_name"]), (recording, "sato", "経理PC"))
        self.assertGreater(len(player.rows), 0)
        before = 0
        for sequence, row in enumerate(player.rows):
            plain = player.read(sequence)
            magic, session, number, time_ms, start_us, _, flags = auditing.HEAD.unpack_from(plain)
            self.assertEqual((magic, session, number), (b"SKREC001", bytes.fromhex(recording), sequence))
            self.assertEqual((start_us, time_ms, flags), row[1:4])
            self.assertGreaterEqual(start_us, before)
            before = start_us
        self.assertTrue(any(row[3] & 1 for row in player.rows), "playing can begin at a whole picture")
        self.assertTrue(player.rows[-1][3] & 2, "the last chunk says so")
        # In any order, and again.
        self.assertEqual(player.read(0)[:8], b"SKREC001")
        player.close()
        closed = harness.until("the end in the log", lambda: self.log_of("recording-closed", recording))
        detail = json.loads(closed[-1]["detail"])
        self.assertEqual((detail["why"], detail["chunks"], detail["verdict"]), ("left", len(player.rows) + 1, "green"))
        harness.until("no plaintext on the disk", lambda: b"SKREC001" not in self.file_of(recording).read_bytes())

    def test_refusals_are_logged(self):
        recording = self.recorded()
        guessed = "0123456789abcdef" * 2
        self.refused(self.ask(guessed), 404, "not-found", guessed)
        for purpose in ("abc", "あいう", "x" * 257, "    ", "why\nnot"):
            self.refused(self.ask(recording, purpose=purpose), 400, "invalid", recording, "purpose")
        used = self.fresh_code(self.kansa)
        self.refused(self.ask(recording, code="000000" if used != "000000" else "000001"), 401, "login", recording)
        self.fresh_code(self.kansa)
        used = self.fresh_code(self.kansa)
        self.assertEqual(self.ask(recording, code=used).status, 200)
        count = len(self.log_of("recording-open", recording))
        with self.subTest("the same code again"):
            harness.until("the try not to be too early",
                          lambda: (answer := self.ask(recording, code=used)).status != 429 and answer)
            self.assertEqual(len(self.log_of("recording-open", recording)), count)
            self.assertIn('"login"', self.log_of("recording-refused", recording)[-1]["detail"])
        for name in ("", "/open"):  # no such path, whatever the method
            self.assertEqual(self.auditor.get(f"/api/recordings/..%2f{recording}{name}").status, 404)
            self.assertEqual(self.auditor.post(f"/api/recordings/../{recording}{name}").status, 404)
        harness.until("the paths in the log", lambda: self.gateway.log().count("event=path-refused") >= 4)
        with self.subTest("another role"):
            count = len(self.log_of("recording-refused"))
            for browser in (self.browser, self.gateway.add_user("kanri", role="admin").login()):
                self.assertEqual(browser.get("/api/recordings").status, 403)
                self.refused(self.ask(recording, browser=browser), 403, "denied", recording)
                self.stream_refused(recording, 4001, browser)
            self.assertEqual(len(self.log_of("recording-refused")), count + 6)

    def stream_refused(self, recording, code, browser=None):
        socket = (browser or self.auditor).websocket(f"/api/recordings/{recording}/stream")
        socket._agree = lambda data: socket.sock.close()
        with self.assertRaises(client.Closed) as caught:
            socket.receive(20)
        self.assertEqual(caught.exception.code, code)

    def test_a_stream_needs_its_opening(self):
        recording = self.recorded()
        other = self.gateway.add_user("kansa2", role="auditor")
        stranger = other.login()
        self.stream_refused(recording, 4000)
        self.open_recording(recording)
        self.stream_refused(recording, 4000, stranger)
        player = auditing.Player(self.auditor, recording).start()
        self.stream_refused(recording, 4000)  # once
        self.assertEqual(player.read(0)[:8], b"SKREC001")
        with self.subTest("nothing but the player's messages"):
            player.send("play_start", version=1)
            self.assertEqual(player.close_code(), (None, 4002))

    def test_one_at_a_time(self):
        recording = self.recorded()
        first = self.play(recording)
        second = self.play(recording)
        self.assertEqual(first.close_code(), ("ended", 4000))
        self.assertEqual(second.read(0)[:8], b"SKREC001")

    def test_it_ends_with_the_right(self):
        recording = self.recorded()
        for name, take_away in (
                ("kansa3", lambda person, browser: browser.post("/api/logout")),
                ("kansa4", lambda person, browser: self.gateway.cli("user", "disable", "--name", person.name)),
                ("kansa5", lambda person, browser: self.gateway.cli("device", "revoke", "--id",
                                                                    person.device_number("laptop")))):
            with self.subTest(name):
                person = self.gateway.add_user(name, role="auditor")
                browser = person.login()
                player = self.play(recording, browser=browser, person=person)
                take_away(person, browser)
                self.assertEqual(player.close_code(), ("ended", 4000))
                self.assertEqual(json.loads(self.log_of("recording-closed", recording)[-1]["detail"])["verdict"], "green")

    def test_tampering_shows(self):
        recording = self.record(self.number)
        path = self.file_of(recording)
        whole = path.read_bytes()
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1:])
        player = self.play(recording)
        self.assertEqual(player.verdict, "red", player.info)
        self.assertIn("damaged", [player.read(sequence) for sequence in range(len(player.rows))])
        path.unlink()
        self.refused(self.ask(recording), 404, "not-found", recording, "file")
        path.write_bytes(whole)

    def test_without_the_vault(self):
        """Recording goes on; playing says why it cannot."""
        recording = self.recorded()
        player = self.play(recording)
        self.gateway.cli("vault", "seal")
        self.assertEqual(player.close_code(), ("sealed", 4000))
        self.refused(self.ask(recording), 423, "locked", recording, "vault")
        self.gateway.cli("vault", "unseal", password=auditing.PASSPHRASE)
        player = self.play(recording)
        old = self.gateway.pid("vault")
        os.kill(old, signal.SIGKILL)
        self.assertEqual(player.close_code()[1], 4000)
        harness.until("another vault", lambda: [pid for pid in self.gateway.pids("vault") if pid != old])
        harness.until("it to say that it is sealed", lambda: self.ask(recording).json.get("error") == "locked")
        later = self.record(self.number)
        self.gateway.cli("vault", "unseal", password=auditing.PASSPHRASE)
        self.assertEqual(self.play(later).verdict, "green")
        self.assertEqual(self.play(recording).verdict, "green")


class ByFile(auditing.Case):
    """The passphrase in a file, as of a systemd credential."""

    @classmethod
    def setUpClass(cls):
        path = harness.pathlib.Path(harness.tempfile.mkdtemp(prefix="sekisho-secret-")) / "passphrase"
        path.write_text(auditing.PASSPHRASE + "\n")
        path.chmod(0o600)
        cls.addClassCleanup(harness.shutil.rmtree, path.parent)
        cls.settings = {"vault_passphrase_file": path}
        super().setUpClass()

    def house_key(self):
        return next((row["state"] for row in self.gateway.rows("status") if row["part"] == "house-key"), None)

    def test_it_opens_by_itself(self):
        certificate = self.gateway.cli("vault", "status")["sha256"]
        for role in ("vault", "broker"):
            old = self.gateway.pid(role)
            os.kill(old, signal.SIGKILL)
            harness.until(f"another {role}", lambda: [pid for pid in self.gateway.pids(role) if pid != old])
            harness.until("the house key", lambda: self.is_open(certificate))
        self.assertEqual([row["kind"] for row in self.gateway.rows("auditor", "list")], ["house"])

    def is_open(self, certificate):
        try:
            return self.house_key() == "unsealed" and self.gateway.cli("vault", "status")["sha256"] == certificate
        except harness.CliError:
            return False


if __name__ == "__main__":
    harness.main()
