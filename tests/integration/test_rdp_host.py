#!/usr/bin/env python3
"""The RDP client against a host that draws what a script says: what is moved, and what is wrong."""

import pathlib
import re
import struct
import subprocess
import sys
import time
import unittest

import harness
import test_rdp_client
from test_rdp_client import TLS

TOOL = harness.BUILD / "tests" / "tool-rdp-host"
WIDTH, HEIGHT = 512, 400
# Codecs ([MS-RDPEGFX] 2.2.2.1 and 2.2.2.2).
RAW, REMOTEFX, CLEAR, PROGRESSIVE, PLANAR, AVC420, AVC444 = 0, 3, 8, 9, 10, 11, 14
GREY = b"\x80\x80\x80\xff"


def message(kind, body):
    """A message of the graphics channel (2.2.1.5)."""
    return struct.pack("<HHI", kind, 0, 8 + len(body)) + body


def reset(width, height, count=0):
    return message(0x0e, struct.pack("<III", width, height, count) + bytes(320))


def create(surface, width, height):
    return message(0x09, struct.pack("<HHHB", surface, width, height, 0x20))


def delete(surface):
    return message(0x0a, struct.pack("<H", surface))


def show(surface, x=0, y=0):
    return message(0x0f, struct.pack("<HHII", surface, 0, x, y))


def begin(frame):
    return message(0x0b, struct.pack("<II", 0, frame))


def end(frame):
    return message(0x0c, struct.pack("<I", frame))


def draw(surface, codec, left, top, right, bottom, data):
    return message(0x01, struct.pack("<HHB4HI", surface, codec, 0x20, left, top, right, bottom, len(data)) + data)


def progressive(surface, data):
    return message(0x02, struct.pack("<HHIBI", surface, PROGRESSIVE, 0, 0x20, len(data)) + data)


def fill(surface, colour, *rects):
    return message(0x04, struct.pack("<H4sH", surface, colour, len(rects)) + b"".join(struct.pack("<4H", *r) for r in rects))


def move(source, target, rect, *points):
    return message(0x05, struct.pack("<HH4HH", source, target, *rect, len(points)) +
                   b"".join(struct.pack("<HH", *p) for p in points))


def keep(surface, slot, rect):
    return message(0x06, struct.pack("<HQH4H", surface, slot, slot, *rect))


def put(slot, surface, *points):
    return message(0x07, struct.pack("<HHH", slot, surface, len(points)) + b"".join(struct.pack("<HH", *p) for p in points))


def segment(data):
    """One uncompressed segment, or several ([MS-RDPEGFX] 2.2.5.1)."""
    if len(data) <= 65535:
        return b"\xe0\x04" + data
    parts = [data[at:at + 65535] for at in range(0, len(data), 65535)]
    return struct.pack("<BHI", 0xe1, len(parts), len(data)) + b"".join(struct.pack("<IB", len(p) + 1, 4) + p for p in parts)


def block(kind, body):
    return struct.pack("<HI", kind, 6 + len(body)) + body


def rfx(region, tiles, context=True):
    """A RemoteFX message ([MS-RDPRFX] 2.2.2) with its headers; tiles: [(column, row)]."""
    head = (block(0xccc0, struct.pack("<IH", 0xcaccacca, 0x0100)) + block(0xccc1, b"\x01\x01\x00\x01") +
            block(0xccc2, struct.pack("<BBHH", 1, 0, 64, 64)) + block(0xccc3, struct.pack("<BBBHH", 1, 255, 0, 64, 0x2828)))
    sets = b"".join(block(0xcac3, struct.pack("<BBBHHHHH", 0, 0, 0, x, y, 0, 0, 0)) for x, y in tiles)
    return ((head if context else b"") + block(0xccc4, struct.pack("<BBIH", 1, 0, 0, 1)) +
            block(0xccc6, struct.pack("<BBBH", 1, 0, 1, len(region)) + b"".join(struct.pack("<4H", *r) for r in region) +
                  struct.pack("<HH", 0xcac1, 1)) +
            block(0xccc7, struct.pack("<BBHHHBBHI", 1, 0, 0xcac2, 0, 0x5151, 1, 64, len(tiles), len(sets)) +
                  b"\x66\x66\x77\x88\x98" + sets) + block(0xccc5, b"\x01\x00"))


def progressive_data(rects, tiles):
    sets = b"".join(block(0xccc5, struct.pack("<BBBHHBHHHH", 0, 0, 0, x, y, 0, 0, 0, 0, 0)) for x, y in tiles)
    region = (struct.pack("<BHBBBHI", 64, len(rects), 1, 0, 0, len(tiles), len(sets)) +
              b"".join(struct.pack("<4H", *r) for r in rects) + b"\x66\x66\x77\x88\x98" + sets)
    return (block(0xccc0, struct.pack("<IH", 0xcaccacca, 0x0100)) + block(0xccc3, struct.pack("<BHB", 0, 64, 0)) +
            block(0xccc1, struct.pack("<IH", 1, 1)) + block(0xccc4, region) + block(0xccc2, b""))


class Host:
    """A tool-rdp-host process."""

    user, password = "sato", "unused"

    def __init__(self, folder, certificate, key, kind="graphics"):
        folder.mkdir(exist_ok=True)
        self.log = folder / f"host-{time.monotonic_ns()}.log"
        with open(self.log, "wb") as out:
            # not the client's: its leaks are FreeRDP's server library's
            env = harness.environment(ASAN_OPTIONS="detect_leaks=0")
            self.child = subprocess.Popen([TOOL, certificate, key, kind], stdin=subprocess.PIPE, stdout=out, stderr=out,
                                          env=env)
        self.port = int(harness.until("the port", lambda: self.lines("port"))[0][0])

    def lines(self, kind):
        found = [line.split() for line in self.log.read_text(errors="replace").splitlines()]
        return [words[1:] for words in found if words and words[0] == kind]

    def say(self, line):
        try:
            self.child.stdin.write(line.encode() + b"\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            pass

    def send(self, *messages, times=1):
        self.say(f"write {times} {segment(b''.join(messages)).hex()}")

    def raw(self, data):
        self.say(f"write 1 {data.hex()}")

    def stop(self):
        try:
            self.child.stdin.close()
        except BrokenPipeError:
            pass
        self.child.kill()
        self.child.wait()


class Case(test_rdp_client.Case):
    kind = "graphics"
    video = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key, cls.cert = cls.folder / "key.pem", cls.folder / "cert.pem"
        harness.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=host", "-keyout", cls.key,
                    "-out", cls.cert)

    def serve(self):
        host = Host(self.folder, self.cert, self.key, self.kind)
        self.addCleanup(host.stop)
        # what was freed would count as memory for long
        options = harness.environment()["ASAN_OPTIONS"] + ":quarantine_size_mb=4"
        client = self.connected(host, security=TLS, size=(WIDTH, HEIGHT), video=self.video,
                                ASAN_OPTIONS=options)
        return host, client

    def mirror(self, client):
        """(pixels that a viewer has wrong, moves told)"""
        client.send("mirror")
        words = client.expect("mirror").split()
        return int(words[2]), int(words[4])

    def memory_mb(self, client):
        return int(re.search(r"VmHWM:\s*(\d+)", pathlib.Path(f"/proc/{client.child.pid}/status").read_text()).group(1)) / 1024


class Moves(Case):
    """Graphics channel: what is moved is told as moved, and a viewer that does as told has the PC's picture."""

    def start(self):
        host, client = self.serve()
        host.send(reset(WIDTH, HEIGHT), create(1, WIDTH, HEIGHT), show(1))
        return host, client

    def frame(self, host, number, *messages):
        host.send(begin(number), *messages, end(number))

    def pattern(self):
        """Rectangles in many colours over the whole surface."""
        return [fill(1, bytes([i * 3 % 256, i * 7 % 256, i * 31 % 256, 0]),
                     (x, y, min(x + 32, WIDTH), min(y + 25, HEIGHT)))
                for i, (x, y) in enumerate((x, y) for y in range(0, HEIGHT, 25) for x in range(0, WIDTH, 32))]

    def settled(self, host, client, frames):
        harness.until("the acknowledgement", lambda: host.lines("ack")[-1:] == [[str(frames), str(frames)]])
        return self.mirror(client)

    def test_moved(self):
        host, client = self.start()
        self.frame(host, 1, *self.pattern())
        # scrolled up and down, drawn between, one source to two places, each as if through a buffer
        self.frame(host, 2, move(1, 1, (0, 40, WIDTH, HEIGHT), (0, 0)), fill(1, GREY, (0, HEIGHT - 40, WIDTH, HEIGHT)))
        self.frame(host, 3, move(1, 1, (0, 0, WIDTH, HEIGHT - 30), (0, 30)), fill(1, b"\1\2\3\0", (5, 5, 50, 60)),
                   move(1, 1, (0, 0, 100, 100), (30, 30), (300, 200)), fill(1, b"\7\2\3\0", (310, 210, 320, 220)),
                   move(1, 1, (300, 200, 400, 300), (299, 201)))
        self.assertEqual(self.settled(host, client, 3), (0, 5))
        picture = client.picture()
        self.assertGreater(len(set(picture.rgb)), 40)
        self.assertEqual(client.quit(), 0)

    def test_cache_and_apart(self):
        """From the cache or from a surface that is not shown nothing is moved on the screen: drawn."""
        host, client = self.start()
        self.frame(host, 1, *self.pattern(), create(2, 100, 100), fill(2, b"\x10\x20\x30\0", (0, 0, 100, 100)),
                   move(2, 1, (10, 10, 60, 60), (400, 300)), keep(1, 5, (0, 0, 64, 64)), put(5, 1, (200, 200), (448, 0)))
        self.assertEqual(self.settled(host, client, 1), (0, 0))
        self.assertEqual(client.quit(), 0)

    def test_reset_in_a_frame(self):
        """The framebuffer is another one in the middle of a frame; what was shown is shown again."""
        host, client = self.start()
        self.frame(host, 1, *self.pattern())
        host.send(begin(2), fill(1, GREY, (0, 0, 50, 50)), reset(800, 600), fill(1, b"\1\2\3\0", (50, 0, 100, 50)),
                  reset(300, 200), reset(WIDTH, HEIGHT), end(2))
        client.expect("resized 300 200")
        self.assertEqual(self.settled(host, client, 2)[0], 0)
        rgb = client.picture().rgb
        self.assertEqual((rgb[:3], rgb[150:153]), (b"\x80\x80\x80", b"\3\2\1"))
        self.assertEqual(client.quit(), 0)

    def test_held(self):
        """While the worker has no room frames are not acknowledged."""
        host, client = self.start()
        self.frame(host, 1, *self.pattern())
        self.settled(host, client, 1)
        client.send("hold 1")
        client.send("frames")
        client.expect("frames")
        for i in range(2, 7):
            self.frame(host, i, fill(1, bytes([i, i, i, 0]), (0, 0, 10, 10)))
        client.settle(300, 600)
        self.assertEqual(host.lines("ack"), [["1", "1"]])
        client.send("hold 0")
        self.assertEqual(self.settled(host, client, 6)[0], 0)
        self.assertEqual(len(host.lines("ack")), 6)
        self.assertEqual(client.quit(), 0)

    def test_frame_without_an_end(self):
        """What is drawn is told at once, and the session goes on."""
        host, client = self.start()
        host.send(begin(1), *self.pattern())
        client.expect("painted")
        for _ in range(50):
            host.send(begin(7), move(1, 1, (0, 0, 200, 200), (1, 1)))
        self.frame(host, 8, fill(1, GREY, (0, 0, 1, 1)))
        harness.until("the acknowledgement", lambda: host.lines("ack"))
        self.assertEqual(self.mirror(client), (0, 50))
        self.assertEqual(client.quit(), 0)


class Bitmaps(Case):
    """Bitmap updates and surface commands."""

    kind = "bitmaps"

    def start(self):
        host, client = self.serve()
        for top in range(0, 40, 8):
            host.say(f"bitmap 0 {top} {WIDTH - 1} {top + 7} {WIDTH} 8 32 0 " +
                     b"".join(struct.pack("<I", x * 40 + y) for y in range(top, top + 8) for x in range(WIDTH)).hex())
        client.expect("painted")
        return host, client

    def test_padded_bitmap(self):
        """Wider and higher than what it shows, partly and wholly outside."""
        host, client = self.start()
        for left, top, right, bottom in ((3, 50, 7, 51), (WIDTH - 4, HEIGHT - 1, WIDTH + 4, HEIGHT + 2),
                                         (60000, 100, 60007, 101), (100, 60000, 107, 60001)):
            host.say(f"bitmap {left} {top} {right} {bottom} 8 4 32 0 {(bytes([200, 100, 50, 0]) * 32).hex()}")
        harness.until("the last pixel", lambda: client.picture().rgb[-3:] == bytes([50, 100, 200]))
        self.assertEqual(self.mirror(client)[0], 0)
        rgb = client.picture().rgb
        self.assertEqual(rgb[(50 * WIDTH + 7) * 3:(50 * WIDTH + 8) * 3], bytes([50, 100, 200]))
        self.assertEqual(rgb[(50 * WIDTH + 8) * 3:(50 * WIDTH + 9) * 3], bytes(3))
        self.assertEqual(client.quit(), 0)

    def test_surface_commands(self):
        host, client = self.start()
        host.say("marker 0 4")
        host.say(f"surface 0 32 10 10 18 14 8 4 {(bytes([9, 8, 7, 0]) * 32).hex()}")
        host.say("marker 1 4")
        harness.until("the acknowledgement", lambda: host.lines("surface-ack") == [["4"]])
        self.assertEqual(self.mirror(client)[0], 0)
        client.send("hold 1")
        client.send("frames")
        client.expect("frames")
        host.say("marker 0 5")
        host.say("marker 1 5")
        client.settle(200, 400)
        self.assertEqual(len(host.lines("surface-ack")), 1)
        client.send("hold 0")
        harness.until("the acknowledgement", lambda: host.lines("surface-ack")[-1:] == [["5"]])
        self.assertEqual(client.quit(), 0)


class Hostile(Case):
    """A reason, no crash (the sanitizers' report would show) and bounded memory."""

    MOST_MB = 250  # more than before, with what the sanitizers add to each byte

    def ends(self, reason, *messages, raw=None, times=1, first=True):
        host, client = self.serve()
        before = self.memory_mb(client)
        if first:
            host.send(reset(WIDTH, HEIGHT), create(1, WIDTH, HEIGHT), show(1), begin(1), fill(1, GREY, (0, 0, 9, 9)), end(1))
            client.expect("painted")
        if raw is not None:
            host.raw(raw)
        if messages:
            host.send(*messages, times=times)
        try:
            line = client.expect("ended", seconds=20)
        finally:
            self.peak = self.memory_mb(client) if client.child.poll() is None else 0
        self.assertEqual(line, f"ended {reason}", client.text()[-2000:])
        self.assertEqual(client.wait(), 3, client.text()[-3000:])
        self.assertNotIn("damage-outside", " ".join(client.seen))
        self.assertLess(self.peak - before, self.MOST_MB)

    def each(self, reason, cases):
        for name, messages in cases.items():
            with self.subTest(name):
                self.ends(reason, *messages)

    def test_rectangles(self):
        far = 65535
        self.each("pc-protocol", {
            "raw outside": [draw(1, RAW, WIDTH - 1, 0, WIDTH + 1, 1, GREY * 2)],
            "raw short": [draw(1, RAW, 0, 0, 100, 100, GREY)],
            "inverted": [draw(1, RAW, 10, 10, 0, 0, GREY * 100)],
            "planar outside": [draw(1, PLANAR, 0, far - 8, 8, far, b"\x20" + bytes(300))],
            "planar huge": [draw(1, PLANAR, 0, 0, far, far, b"\x20" + bytes(300))],
            "clear huge": [draw(1, CLEAR, 0, 0, far, far, bytes(100))],
            "fill outside": [fill(1, GREY, (0, 0, far, far))],
            "move outside": [move(1, 1, (0, 0, 10, 10), (far, far))],
            "unknown surface": [show(77)],
        })

    def test_planar(self):
        """YCoCg goes through the decoder's own buffers: as large as the picture, or it writes beyond."""
        host, client = self.serve()
        plane = bytes([0x0f] + [0x1f] * 40)
        host.send(reset(WIDTH, HEIGHT), create(1, WIDTH, HEIGHT), show(1), begin(1),
                  draw(1, PLANAR, 0, 0, WIDTH, HEIGHT, b"\x23" + bytes([i % 256 for i in range(3 * WIDTH * HEIGHT)])), end(1))
        client.expect("painted")
        host.send(draw(1, PLANAR, 0, 0, 300, 200, b"\x33" + plane))
        self.assertEqual(client.expect("ended"), "ended pc-protocol")
        self.assertEqual(client.wait(), 3)

    def test_decoders(self):
        whole = (0, 0, WIDTH, HEIGHT)
        wide = [(x, y) for y in range(7) for x in range(8)]
        self.each("pc-protocol", {
            "clear rubbish": [draw(1, CLEAR, *whole, bytes(range(256)))],
            "clear glyph too big": [draw(1, CLEAR, *whole, b"\x01\0\0\0" + bytes(100))],
            "rfx rubbish": [draw(1, REMOTEFX, *whole, bytes(range(256)))],
            "rfx tile outside": [draw(1, REMOTEFX, *whole, rfx([whole], [(65535, 65535)]))],
            "rfx tiles": [draw(1, REMOTEFX, *whole, rfx([whole], wide * 20))],
            "rfx rectangles": [draw(1, REMOTEFX, *whole, rfx([(i % 500, i // 500, 1, 1) for i in range(9000)], []))],
            "rfx far": [draw(1, REMOTEFX, *whole, rfx([(65000, 65000, 60000, 60000)], [(0, 0)]))],
            "progressive rubbish": [progressive(1, bytes(range(256)))],
            "progressive tile outside": [progressive(1, progressive_data([whole], [(8, 0)]))],
            "progressive far": [progressive(1, progressive_data([(0, 0, 60000, 60000)], [(0, 0)]))],
        })

    def test_codecs_that_were_not_offered(self):
        stream = struct.pack("<I4HBB", 1, 0, 0, 64, 64, 20, 50) + bytes.fromhex("0000000167640028acd100") + bytes(50)
        self.each("pc-protocol", {
            "avc420": [draw(1, AVC420, 0, 0, 64, 64, stream)],
            "avc444": [draw(1, AVC444, 0, 0, 64, 64, struct.pack("<I", len(stream)) + stream)],
            "unknown": [draw(1, 0x7777, 0, 0, 64, 64, bytes(64))],
        })

    def test_compression(self):
        self.ends("pc-protocol", raw=b"\xe0\x24" + bytes(range(256)) * 4)
        self.ends("pc-protocol", raw=struct.pack("<BHI", 0xe1, 3, 0xfffffff0) + struct.pack("<IB", 100, 4) + bytes(99))

    def test_desktops(self):
        self.ends("pc-too-big", reset(16384, 16384), first=False)
        self.ends("pc-too-big", reset(10, 10))

    def test_messages(self):
        self.each("pc-protocol", {
            "unknown": [message(0x77, b"abc")],
            "short": [b"\x01\0\0\0\xff\xff\0\0"],
            "nothing in it": [message(0x05, b"")],
            "scaled": [message(0x17, struct.pack("<HHIIII", 1, 0, 0, 0, 100, 100))],
        })

    def test_surfaces_without_end(self):
        self.ends("pc-too-big", *(create(i, 16, 16) for i in range(2, 3000)))
        # each drawn into, so that the memory is real
        self.ends("pc-too-big", *(part for i in range(2, 200) for part in (create(i, 1024, 1024),
                                                                            fill(i, GREY, (0, 0, 1024, 1024)))))
        self.ends("pc-too-big", create(2, 65535, 65535))

    def test_cache_without_end(self):
        self.ends("pc-too-big", *(keep(1, i, (0, 0, WIDTH, HEIGHT)) for i in range(1, 200)))
        self.ends("pc-protocol", keep(1, 25600, (0, 0, 9, 9)))
        self.ends("pc-protocol", put(9, 1, (0, 0)))

    def test_progressive_memory(self):
        """The decoder keeps 16 bytes of each pixel: of two desktops' worth of surfaces, no more."""
        self.ends("pc-too-big", *(part for i in range(2, 9) for part in (
            create(i, WIDTH, HEIGHT), progressive(i, progressive_data([(0, 0, 64, 64)], [(0, 0)])))))

    def test_work_without_end(self):
        self.ends("pc-protocol", fill(1, GREY, *[(0, 0, WIDTH, HEIGHT)] * 5000))

    def test_endless_tiny_updates(self):
        """The session goes on: the PC is read in turns."""
        host, client = self.serve()
        host.send(reset(WIDTH, HEIGHT), create(1, WIDTH, HEIGHT), show(1))
        before = self.memory_mb(client)
        host.send(*(fill(1, bytes([i % 256, i // 256, 7, 0]), (i % WIDTH, i % HEIGHT, i % WIDTH + 1, i % HEIGHT + 1))
                    for i in range(2000)), times=100)
        client.expect("painted")
        begin_s = time.monotonic()
        for _ in range(5):
            client.send("frames")
            client.expect("frames")
        self.assertLess(time.monotonic() - begin_s, 10)
        host.send(begin(1), end(1))
        harness.until("the end", lambda: host.lines("ack"), 60)
        self.assertEqual(self.mirror(client)[0], 0)
        self.assertLess(self.memory_mb(client) - before, self.MOST_MB)
        self.assertEqual(client.quit(), 0)


def avc420(rects, data, count=None):
    """RDPGFX_AVC420_BITMAP_STREAM ([MS-RDPEGFX] 2.2.4.4)."""
    return (struct.pack("<I", len(rects) if count is None else count) + b"".join(struct.pack("<4H", *r) for r in rects) +
            b"\x16\x64" * len(rects) + data)


class HostileVideo(Hostile):
    """H.264 that was asked for, and is wrong. Nobody but the decoder is asked to say so."""

    video = "later"
    whole = (0, 0, WIDTH, HEIGHT)
    # A unit that looks as if it built on others, as far as one sees without decoding.
    small = b"\0\0\0\1\x41\x9a\x24\x6c"

    for name in [name for name in dir(Hostile) if name.startswith("test_")]:
        locals()[name] = None

    def picture(self, rects, data, count=None):
        return draw(1, AVC420, *self.whole, avc420(rects, data, count))

    def test_units(self):
        self.each("pc-protocol", {
            "nothing": [self.picture([self.whole], b"")],
            "rubbish": [self.picture([self.whole], bytes(range(256)) * 20)],
            "rectangle outside": [self.picture([(0, 0, WIDTH + 1, HEIGHT)], self.small)],
            "inverted": [self.picture([(9, 9, 8, 10)], self.small)],
            "thousands of rectangles": [self.picture([(0, 0, 1, 1)] * 20000, self.small)],
            "the surface again and again": [self.picture([self.whole] * 20, self.small)],
            "more rectangles than there are": [self.picture([self.whole], self.small, count=0x10000001)],
        })

    def test_huge_unit(self):
        self.ends("pc-too-big", self.picture([self.whole], self.small + b"\xff" * (9 << 20)))

    def test_endless_tiny_units(self):
        """They are kept for later, but not without end; the decoder then finds out."""
        self.ends("pc-protocol", self.picture([(0, 0, 8, 8)], self.small), times=2000)


class HostileBitmaps(Hostile):
    """The same outside of the graphics channel."""

    kind = "bitmaps"

    def ends(self, reason, *lines):
        host, client = self.serve()
        host.say(f"bitmap 0 0 7 3 8 4 32 0 {(GREY * 32).hex()}")
        client.expect("painted")
        for line in lines:
            host.say(line)
        self.assertEqual(client.expect("ended"), f"ended {reason}", client.text()[-2000:])
        self.assertEqual(client.wait(), 3, client.text()[-3000:])

    for name in [name for name in dir(Hostile) if name.startswith("test_")]:
        locals()[name] = None

    def test_bitmaps(self):
        self.each("pc-protocol", {
            "huge": ["bitmap 0 0 65535 65535 65535 65535 32 1 20"],
            "short": ["bitmap 0 0 7 3 8 4 32 0 0000"],
            "depth": ["bitmap 0 0 7 3 8 4 77 0 " + "00" * 500],
            "planar": ["bitmap 0 0 99 99 100 100 32 1 30ffffffff"],
            "interleaved": ["bitmap 0 0 99 99 100 100 24 1 ffffffff"],
            "turned": ["bitmap 50 50 10 10 8 4 32 0 " + "00" * 128],
        })

    def test_what_was_not_offered(self):
        self.each("pc-protocol", {
            "remotefx": [f"surface 3 32 0 0 64 64 64 64 {bytes(range(200)).hex()}"],
            "nscodec": [f"surface 1 32 0 0 64 64 64 64 {bytes(range(200)).hex()}"],
            "codec": [f"surface 99 32 0 0 64 64 64 64 {bytes(range(200)).hex()}"],
        })


if __name__ == "__main__":
    if not TOOL.exists():
        print(f"no {TOOL}: build it first", file=sys.stderr)
        sys.exit(1)
    unittest.main(verbosity=2)
