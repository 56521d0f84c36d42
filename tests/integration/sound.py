"""A PC that plays what a test tells it ([MS-RDPEA] over tool-sound-peer), and ears for what arrives: Opus and tones."""

import array
import ctypes
import ctypes.util
import math
import pathlib
import queue
import socket
import struct
import subprocess
import sys
import threading
import time

import harness

PEER = harness.BUILD / "tests" / "tool-sound-peer"
PCM, ADPCM, AAC = 1, 2, 0xFF
WAVE_CONFIRM, TRAINING, FORMATS, QUALITY, WAVE, VOLUME, WAVE2 = 5, 6, 7, 12, 2, 3, 13


# -- what a PC sends ----------------------------------------------------------------------------------------------


def audio_format(tag=PCM, channels=2, rate=44100, bits=16, align=None, extra=b"", extra_size=None):
    """AUDIO_FORMAT, 2.2.2.1.1; align and extra_size to lie."""
    block = channels * bits // 8 & 0xFFFF if align is None else align
    return struct.pack("<HHIIHHH", tag, channels, rate, rate * block & 0xFFFFFFFF, block, bits,
                       len(extra) if extra_size is None else extra_size) + extra


def formats(*entries, count=None):
    body = struct.pack("<IIIHHBHB", 0, 0, 0, 0, len(entries) if count is None else count, 0, 8, 0) + b"".join(entries)
    return struct.pack("<BBH", FORMATS, 0, len(body)) + body


def training(stamp=7):
    return struct.pack("<BBHHH", TRAINING, 0, 4, stamp, 0)


def volume(left, right):
    return struct.pack("<BBHHH", VOLUME, 0, 4, left, right)


def wave2(number, data, size=None):
    return struct.pack("<BBHHHB3xI", WAVE2, 0, (12 + len(data) if size is None else size) & 0xFFFF, 0, number, 0, 0) + data


def wave(number, data, size=None):
    """The two PDUs of 2.2.3.3 and 2.2.3.4."""
    info = struct.pack("<BBHHHB3x4s", WAVE, 0, 8 + len(data) if size is None else size, 0, number, 0, data[:4])
    return [info, bytes(4) + data[4:]]


USUAL = formats(audio_format())


class Peer:
    """An RDP server for one connection."""

    user, password = "sato", "unused"

    def __init__(self, folder):
        key, cert = folder / "sound-key.pem", folder / "sound-cert.pem"
        if not cert.exists():
            harness.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=sound", "-keyout", key,
                        "-out", cert)
        self.log = open(folder / "sound-peer.log", "ab")
        self.child = subprocess.Popen([PEER, cert, key], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                      text=True, bufsize=1, env=harness.environment())
        self.lines, self.seen = queue.Queue(), []
        self.taken = []  # the formats that were agreed on
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.port = int(self.expect("port").split()[1])

    def _read(self):
        for line in self.child.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def expect(self, *starts, seconds=20):
        """The next line that begins with one of starts."""
        end = time.monotonic() + seconds * harness.PATIENCE
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no {starts} of the PC after {self.seen[-10:]}")
            self.seen.append(line)
            if line.startswith(starts):
                return line

    def send(self, line):
        try:
            self.child.stdin.write(line + "\n")
        except BrokenPipeError:
            pass  # it has gone with its client, which the test will see

    def say(self, *pdus):
        for pdu in pdus:
            self.send(f"raw {pdu.hex()}")

    def open(self, way):
        """Opens the sound channel: "opened", "not-joined", or for the dynamic one "ready" or "refused"."""
        if way == "dynamic":
            self.expect("drdynvc")
        self.send(f"open {way}")
        answer = self.expect("opened", "not-joined")
        return self.expect("ready", "refused") if (way, answer) == ("dynamic", "opened") else answer

    def heard(self, kind):
        """The body of the client's next PDU of this kind."""
        while True:
            pdu = bytes.fromhex(self.expect("got ").split()[1])
            if pdu[0] == kind:
                return pdu[4:]

    def agree(self, *entries):
        """Announces these formats; those that the client takes."""
        self.say(formats(*entries))
        body = self.heard(FORMATS)
        count, at = struct.unpack_from("<H", body, 14)[0], 20
        self.taken = []
        for _ in range(count):
            tag, channels, rate, _, _, bits, extra = struct.unpack_from("<HHIIHHH", body, at)
            self.taken.append((tag, channels, rate, bits))
            at += 18 + extra
        return self.taken

    def play(self, milliseconds, hertz, rate=44100, channels=2, number=0, way="wave2"):
        self.send(f"tone {milliseconds} {hertz} {rate} {channels} {number} {way}")

    def confirmed(self):
        """How many waves the client has confirmed so far, once or, at their end, again (2.2.3.8); at most 256."""
        while True:
            try:
                self.seen.append(self.lines.get_nowait() or "")
            except queue.Empty:
                return len({line[16:18] for line in self.seen if line.startswith(f"got {WAVE_CONFIRM:02x}")})

    def stop(self):
        self.child.stdin.close()
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.reader.join()
        self.child.stdout.close()
        self.log.close()


class XrdpSink:
    """What xrdp's module for PulseAudio is: a program that gives xrdp what the desktop's programs play."""

    def __init__(self, display):
        name = f"xrdp_chansrv_audio_out_socket_{display}"
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(harness.until("xrdp to take sound", lambda: self._find(name)))

    @staticmethod
    def _find(name):
        """The test's xrdp has a /run of its own."""
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            if "xrdp-chansrv" in harness.command_of(process.name):
                for path in (process / "root/run/xrdp/sockdir").glob(f"**/{name}"):
                    return str(path)
        return None

    def play(self, milliseconds, hertz):
        """In real time; 44.1 kHz, two channels."""
        begin = time.monotonic()
        for piece in range(milliseconds // 20):
            frames = range(piece * 882, (piece + 1) * 882)
            values = [int(12000 * math.sin(2 * math.pi * hertz * n / 44100)) for n in frames]
            data = b"".join(struct.pack("<hh", value, value) for value in values)
            self.socket.sendall(struct.pack("<II", 0, 8 + len(data)) + data)
            time.sleep(max(0, begin + piece * 0.02 - time.monotonic()))

    def close(self):
        self.socket.close()


# -- what arrives -------------------------------------------------------------------------------------------------


class Opus:
    """libopus: 48 kHz, two channels."""

    library = None

    def __init__(self):
        if not Opus.library:
            Opus.library = ctypes.CDLL(ctypes.util.find_library("opus"))
            Opus.library.opus_decoder_create.restype = ctypes.c_void_p
        failed = ctypes.c_int()
        self.state = ctypes.c_void_p(self.library.opus_decoder_create(48000, 2, ctypes.byref(failed)))
        assert failed.value == 0, failed.value

    def decode(self, packet):
        """960 frames, interleaved."""
        out = (ctypes.c_int16 * (960 * 2))()
        frames = self.library.opus_decode(self.state, packet, len(packet), out, 960, 0)
        assert frames == 960, f"Opus says {frames} to a packet of {len(packet)} bytes"
        return list(out)

    def close(self):
        self.library.opus_decoder_destroy(self.state)


def share(samples, hertz, rate):
    """How much of the power of one channel is at this frequency, 0 to 1 (Goertzel)."""
    coefficient = 2 * math.cos(2 * math.pi * hertz / rate)
    a = b = 0.0
    for sample in samples:
        a, b = sample + coefficient * a - b, a
    power = sum(sample * sample for sample in samples)
    return (a * a + b * b - coefficient * a * b) / (power * len(samples) / 2) if power else 0.0


def channels_of(interleaved, count=2):
    return [interleaved[n::count] for n in range(count)]


def samples_of(path):
    """A file of 16-bit samples, little-endian."""
    samples = array.array("h", path.read_bytes())
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tolist()
