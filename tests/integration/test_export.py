#!/usr/bin/env python3
"""Videos of recordings: `sekisho recording export`, opened by `openssl cms` and ffmpeg, and what it refuses.

Most of it needs no gateway: the recordings are those of tests/tool-recording, whose pictures carry their number.
"""

import hashlib
import json
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import tempfile
import unittest

import desktops
import harness
import recordings
import sessions
import stream

SEKISHO = harness.BUILD / "bin" / "sekisho"
DONE, REFUSED, USAGE, UNREACHABLE = range(4)
WIDTH, HEIGHT = 640, 400
SQUARE, BITS = 16, 24  # of the number in a picture's lower right corner


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, check=False)


def certificate(folder, name, *more, kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), usage="keyAgreement", ca="FALSE"):
    """A certificate signed by itself, and its key."""
    pem, key = folder / f"{name}.pem", folder / f"{name}.key"
    done = openssl("req", "-x509", "-newkey", *kind, "-nodes", "-keyout", key, "-out", pem, "-utf8",
                   "-subj", f"/CN={name}", *(more or ("-days", "30")), "-addext", f"basicConstraints=critical,CA:{ca}",
                   "-addext", f"keyUsage=critical,{usage}", "-addext", "extendedKeyUsage=emailProtection",
                   "-addext", "subjectKeyIdentifier=hash")
    assert done.returncode == 0, done.stderr
    return pem, key


def expired(folder):
    """One that was valid yesterday: `openssl req` alone makes none."""
    pem, key = certificate(folder, "expired")
    request = folder / "expired.csr"
    openssl("req", "-new", "-key", key, "-subj", "/CN=expired", "-out", request)
    (folder / "ca.txt").touch()
    config = folder / "ca.conf"
    config.write_text(f"""[ca]\ndefault_ca=own\n[own]\ndatabase={folder}/ca.txt\nserial={folder}/serial
new_certs_dir={folder}\ndefault_md=sha256\npolicy=any\nrand_serial=yes\nx509_extensions=more\n[any]\ncommonName=supplied
[more]\nbasicConstraints=CA:FALSE\nkeyUsage=keyAgreement\n""")
    done = openssl("ca", "-config", config, "-selfsign", "-batch", "-keyfile", key, "-in", request, "-out", pem,
                   "-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-notext")
    assert done.returncode == 0, done.stderr
    return pem


def make_recording(path, pem, width=WIDTH, height=HEIGHT):
    with path.open("wb") as out:
        subprocess.run([harness.BUILD / "tests" / "tool-recording", str(width), str(height), "1", pem], stdout=out, check=True)


def decrypt(path, pem, key, out):
    return openssl("cms", "-decrypt", "-inform", "DER", "-binary", "-in", path, "-recip", pem, "-inkey", key, "-out", out)


def probe(path, *what):
    done = subprocess.run(["ffprobe", "-v", "error", "-of", "json", *what, path], capture_output=True, check=True)
    assert not done.stderr, done.stderr
    return json.loads(done.stdout)


class Video:
    """A video's pictures, decoded by ffmpeg."""

    def __init__(self, path):
        shown = probe(path, "-show_streams", "-show_format", "-show_entries", "packet=pts_time,duration_time,flags")
        self.stream, self.format = shown["streams"][0], shown["format"]
        self.times = [float(packet["pts_time"]) for packet in shown["packets"]]
        self.flags = [packet["flags"] for packet in shown["packets"]]
        self.path, self.width, self.height = path, self.stream["width"], self.stream["height"]

    def at(self, seconds):
        """RGB bytes of what is shown then."""
        index = max(i for i, at in enumerate(self.times) if at <= seconds + 1e-6)
        done = subprocess.run(["ffmpeg", "-v", "error", "-i", self.path, "-vf", f"select=eq(n\\,{index})", "-frames:v", "1",
                               "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
        assert len(done.stdout) == self.width * self.height * 3, done.stderr
        return done.stdout

    def pixel(self, rgb, x, y):
        at = (y * self.width + x) * 3
        return rgb[at:at + 3]

    def number(self, rgb, width=WIDTH, height=HEIGHT):
        """The picture's number, as tool-recording has drawn it."""
        return sum((self.pixel(rgb, width - bit * SQUARE - SQUARE // 2, height - SQUARE // 2)[1] > 127) << bit
                   for bit in range(BITS))

    def rows(self, rgb, first, count):
        return rgb[first * self.width * 3:(first + count) * self.width * 3]


def difference(one, other):
    """Mean of a channel's difference."""
    return sum(abs(a - b) for a, b in zip(one, other)) / len(one)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.need("ffmpeg", "ffprobe", "openssl")
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-export-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        cls.auditor = certificate(cls.dir, "監査人 鈴木")
        cls.recipient = certificate(cls.dir, "recipient")
        cls.file = cls.dir / "recording.skr"
        make_recording(cls.file, cls.auditor[0])

    def export(self, name, *more, file=None, key=None, recipient=None, unlogged=True, wait=True, **run):
        """Exit code, answer and the file's path."""
        out = self.dir / name
        pem, auditor_key = key or self.auditor
        command = [SEKISHO, "recording", "export", "--json", "--config", self.dir / "no.conf", "--file", file or self.file,
                   "--key", auditor_key, "--cert", pem, "--recipient", recipient or self.recipient[0],
                   "--purpose", "試験のため", "--out", out, *more, *(["--unlogged"] if unlogged else [])]
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env={**os.environ, "TZ": "Asia/Tokyo"}, **run)
        if not wait:
            self.addCleanup(process.stdout.close)
            self.addCleanup(process.stderr.close)
            return process, out
        answer, errors = process.communicate(timeout=120)
        self.assertNotRegex(errors, harness.REPORT)
        return process.returncode, json.loads(answer), out

    def refused(self, name, code, error, field, *more, **how):
        got, answer, out = self.export(name, *more, **how)
        self.assertEqual((got, answer.get("error"), answer.get("field")), (code, error, field), answer)
        self.assertEqual([path.name for path in self.dir.glob(f"{name}*")], [], "something of the file is left")
        return answer

    def open(self, out, recipient=None):
        pem, key = recipient or self.recipient
        video = out.with_suffix(".mp4")
        done = decrypt(out, pem, key, video)
        self.assertEqual(done.returncode, 0, done.stderr)
        return Video(video)


class Right(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        maker = cls("export")
        code, cls.answer, cls.out = maker.export("whole.cms")
        assert code == DONE, cls.answer
        cls.video = maker.open(cls.out)
        plain = subprocess.run([harness.BUILD / "tests" / "tool-recording", str(WIDTH), str(HEIGHT), "1"],
                               capture_output=True, check=True).stdout
        cls.chunks, at = [], 0
        while at < len(plain):
            size = struct.unpack_from("<I", plain, at)[0]
            cls.chunks.append(recordings.parse(plain[at + 4:at + 4 + size]))
            at += 4 + size

    def frames(self):
        """Of each frame, when it was there (s) and what it says."""
        for record, payload in recordings.payloads(self.chunks, recordings.SENT):
            name, values = stream.decode(payload)
            if name == "frame":
                yield record.at_us / 1e6, values

    def test_the_file_is_what_the_answer_says(self):
        self.assertEqual((self.answer["size"], self.answer["verdict"], self.answer["unlogged"]),
                         (self.out.stat().st_size, "amber", True))
        self.assertEqual(self.answer["sha256"], hashlib.sha256(self.out.read_bytes()).hexdigest())
        self.assertEqual(self.out.stat().st_mode & 0o777, 0o600)

    def test_it_is_a_video_of_the_recordings_length(self):
        video = self.video
        self.assertEqual((video.stream["codec_name"], video.stream["pix_fmt"], video.width), ("h264", "yuv420p", WIDTH))
        self.assertGreater(video.height, HEIGHT)
        end = self.chunks[-1].records[-1].at_us / 1e6 + 1
        self.assertAlmostEqual(float(video.format["duration"]), end, delta=0.11)
        self.assertEqual(video.times[0], 0)
        self.assertTrue(all(0 < b - a <= 1.0001 for a, b in zip(video.times, video.times[1:])), "a picture each second")
        self.assertTrue(all(abs(at * 10 - round(at * 10)) < 1e-6 for at in video.times), "ten a second")
        self.assertIn("試験のため", video.format["tags"]["comment"])
        keys = [at for at, flags in zip(video.times, video.flags) if "K" in flags]
        self.assertTrue(keys[0] == 0 and len(keys) > 1, keys)

    def test_each_time_shows_its_picture(self):
        shown = [(at, values["sequence"]) for at, values in self.frames()]
        for second in (0.0, 1.3, 5.0, 11.2, 14.7, 18.5, 21.0, self.video.times[-1]):
            wanted = [number for at, number in shown if at <= second + 1e-6][-1]
            self.assertEqual(self.video.number(self.video.at(second)), wanted, f"at {second} s")

    def test_pictures_are_those_that_were_seen(self):
        for second in (4.0, 12.0, 16.5):
            screen = stream.Screen(stream.CODECS["jpeg"])
            for at, values in self.frames():
                if at > second:
                    break
                screen.apply(values)
            rgb = self.video.rows(self.video.at(second), 0, HEIGHT)
            # Text of two pixels' width loses colour to 4:2:0.
            self.assertLess(difference(rgb, bytes(screen.rgb)), 16, f"at {second} s")

    def test_the_watermark_is_there(self):
        # The desktop is black but for what was typed: everything else is the watermark's.
        rgb = self.video.at(2.0)
        faint = [i for i in range(140 * WIDTH, (HEIGHT - SQUARE) * WIDTH) if rgb[3 * i + 1] > 8]
        self.assertGreater(len(faint), 500)
        self.assertLess(max(rgb[3 * i + 1] for i in faint), 60)
        bar = self.video.rows(rgb, HEIGHT, self.video.height - HEIGHT)
        self.assertGreater(sum(bar[i] > 180 for i in range(0, len(bar), 3)), 800, "words in the bar")
        # Its clock goes on, with or without a change.
        later = self.video.rows(self.video.at(3.0), HEIGHT, self.video.height - HEIGHT)
        # One digit at least; what stands still is copied bit by bit.
        self.assertGreater(difference(bar, later), 0.02)

    def test_wrong_keys_and_changed_files_fail(self):
        other = certificate(self.dir, "other")
        self.assertNotEqual(decrypt(self.out, *other, self.dir / "not.mp4").returncode, 0)
        data = bytearray(self.out.read_bytes())
        data[len(data) // 2] ^= 1
        for name, changed in (("changed", data), ("cut", data[:-1]), ("half", data[:len(data) // 2])):
            path = self.dir / f"{name}.bad"
            path.write_bytes(changed)
            self.assertNotEqual(decrypt(path, *self.recipient, self.dir / "not.mp4").returncode, 0, name)

    def test_a_part_of_it_and_rsa(self):
        rsa = certificate(self.dir, "rsa", kind=("rsa:2048",), usage="keyEncipherment")
        code, answer, out = self.export("part.cms", "--from", "0:00:12", "--to", "15", recipient=rsa[0])
        self.assertEqual(code, DONE, answer)
        video = self.open(out, rsa)
        self.assertAlmostEqual(float(video.format["duration"]), 3, delta=0.11)
        shown = [(at, values["sequence"]) for at, values in self.frames()]
        for second in (0.0, 1.5):
            wanted = [number for at, number in shown if at <= 12 + second + 1e-6][-1]
            self.assertEqual(video.number(video.at(second)), wanted, f"at {second} s")


class Damaged(Case):
    def test_a_damaged_chunk_leaves_the_picture_and_says_so(self):
        whole = self.file.read_bytes()
        ders = list(recordings.split(whole))
        bad = len(ders) // 8  # some seconds before the next keyframe, which is the tenth's
        begins = sum(map(len, ders[:bad]))
        changed = bytearray(whole)
        changed[begins + len(ders[bad]) // 2] ^= 1
        path = self.dir / "damaged.skr"
        path.write_bytes(changed)
        code, answer, out = self.export("damaged.cms", file=path)
        self.assertEqual(code, DONE, answer)
        video = self.open(out)
        code, answer, fine = self.export("fine.cms")
        self.assertEqual(code, DONE, answer)
        fine = self.open(fine)
        second = recordings.parse(recordings.unseal(ders[bad], self.key())[0]).start_us / 1e6 + 1.5
        amber = [sum(rgb[i] - rgb[i + 2] > 60 for i in range(0, len(rgb), 3))
                 for rgb in (one.rows(one.at(second), HEIGHT, one.height - HEIGHT) for one in (video, fine))]
        self.assertGreater(amber[0], amber[1] * 1.3, "the bar warns")
        self.assertLess(video.number(video.at(second)), fine.number(fine.at(second)), "the picture stays")
        self.assertEqual(video.number(video.at(11)), fine.number(fine.at(11)), "right again after it")

    def key(self):
        return recordings.serialization.load_pem_private_key(self.auditor[1].read_bytes(), None)

    def test_a_cut_recording_ends_where_it_was_cut(self):
        whole = self.file.read_bytes()
        ders = list(recordings.split(whole))
        keep = len(ders) // 2
        path = self.dir / "cut.skr"
        path.write_bytes(b"".join(ders[:keep]) + ders[keep][:100])
        code, answer, out = self.export("cut.cms", file=path)
        self.assertEqual((code, answer["verdict"]), (DONE, "amber"), answer)
        last = recordings.parse(recordings.unseal(ders[keep - 1], self.key())[0])
        self.assertAlmostEqual(float(self.open(out).format["duration"]), last.records[-1].at_us / 1e6 + 1, delta=0.11)

    def test_what_is_no_recording(self):
        path = self.dir / "none.skr"
        path.write_bytes(os.urandom(5000))
        self.refused("none.cms", REFUSED, "invalid", "file", file=path)
        self.refused("late.cms", REFUSED, "state", None, "--from", "3000")


class Refused(Case):
    def test_recipients_that_may_not_be(self):
        small = certificate(self.dir, "small", kind=("rsa:1024",), usage="keyEncipherment")[0]
        signer = certificate(self.dir, "signer", usage="digitalSignature")[0]
        ca = certificate(self.dir, "ca", ca="TRUE")[0]
        curve = certificate(self.dir, "p384", kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-384"))[0]
        nothing = self.dir / "nothing.pem"
        nothing.write_text("-----BEGIN NOTHING-----")
        for path, error in ((small, "key"), (curve, "key"), (signer, "invalid"), (ca, "invalid"), (nothing, "invalid"),
                            (expired(self.dir), "expired")):
            with self.subTest(path.name):
                self.refused("no.cms", REFUSED, error, "recipient", recipient=path)

    def test_keys_that_do_not_open_it(self):
        other = certificate(self.dir, "stranger")
        self.refused("no.cms", REFUSED, "denied", "key", key=other)
        self.refused("no.cms", REFUSED, "key", "cert", key=(other[0], self.auditor[1]))

    def test_what_is_asked_wrongly(self):
        self.refused("no.cms", UNREACHABLE, "unavailable", "unlogged", unlogged=False)
        for text in ("1:2:3:4", "x", "1:75", "1:", "99999999999"):
            self.refused("no.cms", USAGE, "invalid", "from", "--from", text)
        self.refused("no.cms", USAGE, "invalid", "to", "--from", "5", "--to", "5")

    def test_a_file_that_is_there_stays(self):
        path = self.dir / "there.cms"
        path.write_text("mine")
        code, answer, _ = self.export("there.cms")
        self.assertEqual((code, answer["error"], path.read_text()), (REFUSED, "exists", "mine"))

    def test_no_room_leaves_nothing(self):
        """A file system that is full."""
        if not harness.ROOT:
            self.skipTest("only root can mount one")
        folder = self.dir / "small"
        folder.mkdir()
        harness.run("mount", "-t", "tmpfs", "-o", "size=256k", "own", folder)
        self.addCleanup(harness.run, "umount", folder)
        code, answer, _ = self.export("small/no.cms")
        self.assertEqual((code, answer["error"], answer["field"]), (REFUSED, "full", "out"))
        self.assertEqual(list(folder.iterdir()), [])

    def test_a_limit_of_the_files_size_leaves_nothing(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

        code, answer, _ = self.export("limited.cms", preexec_fn=limit)
        self.assertEqual((code, answer["field"]), (REFUSED, "out"))
        self.assertEqual(list(self.dir.glob("limited*")), [])

    def test_interrupting_leaves_nothing(self):
        process, out = self.export("broken.cms", wait=False)
        part = out.with_name("broken.cms.part")
        harness.until("the first bytes", lambda: part.exists() and part.stat().st_size > 0, every=0.005)
        self.assertFalse(out.exists(), "it has its name before it is whole")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), REFUSED)
        self.assertFalse(out.exists() or part.exists())
        # Killed, it leaves what nobody takes for a video; the next run takes it away.
        process, out = self.export("broken.cms", wait=False)
        harness.until("the first bytes", lambda: part.exists() and part.stat().st_size > 0, every=0.005)
        process.kill()
        process.wait(30)
        self.assertFalse(out.exists())
        code, answer, _ = self.export("broken.cms")
        self.assertEqual(code, DONE, answer)
        self.assertFalse(part.exists())


class OnTheGateway(sessions.Case):
    """A real session's recording, exported where the gateway runs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.need("ffmpeg", "ffprobe")
        cls.pc = cls.start(desktops.BareVnc(cls.gateway.dir / "pc"))
        cls.number = cls.host_for(cls.pc, "経理PC", security="none")

    def record(self):
        session = self.open(self.number)
        viewer = self.view(session).until_picture()
        viewer.move(40, 50)
        viewer.until_equal(self.pc.x)
        self.browser.delete(f"/api/sessions/{session}")
        self.until_ended(session, "logout")
        harness.until("the recording's end", lambda: any(
            row["event"] == "recording-mark" and row["session"] == session and json.loads(row["detail"])["last"]
            for row in self.gateway.rows("audit", "list", "--last", "200")))
        return session, self.gateway.dir / "state" / "recordings" / f"{session}.skr"

    def test_the_audit_log_hears_of_it_first(self):
        session, path = self.record()
        pem, key = self.gateway.auditor
        recipient = certificate(self.gateway.dir, "court")
        out, video = self.gateway.dir / "court.cms", self.gateway.dir / "court.mp4"
        self.gateway.cli("audit", "export", "--all", "--out", self.gateway.dir / "log")
        answer = self.gateway.cli("recording", "export", "--file", path, "--key", key, "--cert", pem, "--recipient", recipient[0],
                                  "--purpose", "5月14日の照会", "--marks", self.gateway.dir / "log" / "entries.jsonl", "--out", out)
        self.assertEqual((answer["verdict"], answer["unlogged"]), ("green", False))
        [entry] = [row for row in self.gateway.rows("audit", "list", "--last", "200") if row["event"] == "recording-export"]
        detail = json.loads(entry["detail"])
        self.assertEqual((entry["session"], detail["purpose"], detail["way"]), (session, "5月14日の照会", "offline"))
        self.assertEqual((detail["recipient"]["subject"], detail["auditor"]["subject"].split(",")[0]), ("CN=court", "CN=auditor"))
        fingerprint = openssl("x509", "-in", recipient[0], "-noout", "-fingerprint", "-sha256").stdout.decode()
        self.assertEqual(detail["recipient"]["sha256"], fingerprint.split("=")[1].strip().replace(":", "").lower())
        self.assertEqual(decrypt(out, *recipient, video).returncode, 0)
        shown = Video(video)
        seen = self.pc.x.picture()
        self.assertEqual(shown.width, seen.width)
        rgb = shown.rows(shown.at(shown.times[-1]), 0, seen.height)
        self.assertLess(difference(rgb, bytes(seen.rgb)), 8)


if __name__ == "__main__":
    harness.main()
