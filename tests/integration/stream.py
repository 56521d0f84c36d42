"""A viewer of one session, as docs/protocol.md describes it: packets, messages, frames into a picture."""

import array
import ctypes
import ctypes.util
import functools
import itertools
import operator
import re
import socket
import struct
import sys
import time

import client
import desktops
import harness

VERSION = 3
SIZES = {"U8": "<B", "U16": "<H", "I16": "<h", "U32": "<I", "U64": "<Q"}
WIRE = harness.SOURCE / "gateway" / "wire"


def constants(name):
    """{number: code} of an ENUM in enums.def."""
    text = re.search(rf"^ENUM\({name}\)(.*?)^END", (WIRE / "enums.def").read_text(), re.M | re.S).group(1)
    return {int(n): code for n, code in re.findall(r'VALUE\((\d+), \w+, "([^"]+)"\)', text)}


def layouts():
    """{id: (name, [(type, field, size)])} of the messages between worker and viewer, and vault and player or page, from messages.def."""
    text = re.sub(r"/\*.*?\*/", "", (WIRE / "messages.def").read_text(), flags=re.S)
    found = {}
    for number, name, fields in re.findall(
            r"MESSAGE\((0x0[89bcf]\w\w), (\w+), \w+, \w+, [\w |]+,\s*((?:\w+\([^()]*\)\s*)+)\)", text):
        parts = [(kind, *[a.strip() for a in inner.split(",")]) for kind, inner in
                 re.findall(r"(\w+)\(([^()]*)\)", fields)]
        found[int(number, 16)] = (name, [(p[0], p[1], p[2] if len(p) > 2 else None) for p in parts])
    return found


LAYOUTS = layouts()
NUMBERS = {name: number for number, (name, _) in LAYOUTS.items()}
WATCH_STATES, WATCH_VIEWS = constants("watch_state"), constants("watch_view")
STATES, REASONS, NOTICES = constants("session_state"), constants("end_reason"), constants("notice_kind")
CODECS = {code: number for number, code in constants("codec").items()}
FIXED = {"WIRE_SESSION_ID": 16, "32": 32}


def encode(name, **values):
    out = struct.pack("<H", NUMBERS[name])
    for kind, field, _ in LAYOUTS[NUMBERS[name]][1]:
        value = values.pop(field, 0 if kind in SIZES else b"")
        if kind in SIZES:
            out += struct.pack(SIZES[kind], value)
        elif kind == "FIXED":
            out += value
        else:
            data = value.encode() if isinstance(value, str) else value
            out += struct.pack("<I", len(data)) + data + (b"\0" if kind == "STR" else b"")
    assert not values, values
    return out


def decode(data):
    """(name, {field: value}); fails on anything that does not fit exactly."""
    name, fields = LAYOUTS[struct.unpack_from("<H", data)[0]]
    at, values = 2, {}
    for kind, field, size in fields:
        if kind in SIZES:
            values[field], = struct.unpack_from(SIZES[kind], data, at)
            at += struct.calcsize(SIZES[kind])
        elif kind == "FIXED":
            values[field] = data[at:at + FIXED[size]]
            at += FIXED[size]
        else:
            length, = struct.unpack_from("<I", data, at)
            values[field] = data[at + 4:at + 4 + length]
            at += 4 + length
            if kind == "STR":
                assert data[at] == 0, f"{name}.{field} has no NUL"
                values[field] = values[field].decode()
                at += 1
    assert at == len(data), f"{name}: {len(data) - at} bytes too many"
    return name, values


zstd = ctypes.CDLL(ctypes.util.find_library("zstd"))
zstd.ZSTD_decompress.restype = ctypes.c_size_t


def decompress(data, size):
    out = ctypes.create_string_buffer(size)
    got = zstd.ZSTD_decompress(out, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data)))
    assert got == size, f"zstd gives {got} instead of {size} bytes"
    return out.raw


@functools.cache
def turbojpeg():
    """The library and a decompressor; deploy/deps installs it for the gateway itself."""
    library = ctypes.CDLL("libturbojpeg.so.0")
    library.tjInitDecompress.restype = ctypes.c_void_p
    return library, ctypes.c_void_p(library.tjInitDecompress())


def decode_jpeg(data):
    """(width, height, R, G, B bytes)."""
    library, handle = turbojpeg()
    width, height, kind, colours = (ctypes.c_int() for _ in range(4))
    size = ctypes.c_ulong(len(data))
    bad = library.tjDecompressHeader3(handle, data, size, *map(ctypes.byref, (width, height, kind, colours)))
    assert not bad and width.value * height.value <= 7680 * 4320, "not a JPEG"
    out = ctypes.create_string_buffer(width.value * height.value * 3)
    rgb, exact = 0, 0
    assert not library.tjDecompress2(handle, data, size, out, width, 0, height, rgb, exact), "not a whole JPEG"
    return width.value, height.value, out.raw


def read_pictures(frame):
    """[(codec, rectangle, parts that are drawn, bytes)], as docs/protocol.md says."""
    table, data, at, used, found = frame["pictures"], frame["picture_data"], 0, 0, []
    while at < len(table):
        codec, stream, key, hidden, *rect, clips, zeros, length = struct.unpack_from("<4B6HI", table, at)
        at += 20
        parts = [struct.unpack_from("<4H", table, at + 8 * i) for i in range(clips)]
        at += 8 * clips
        assert zeros == 0 < length <= len(data) - used, "the table of pictures is wrong"
        assert codec != CODECS["jpeg"] or stream == key == 0, "a JPEG has no stream"
        assert hidden == 0 or (codec == CODECS["avc420"] and not parts), "a picture that must not be hidden"
        found.append((codec, tuple(rect), [] if hidden else parts or [tuple(rect)], data[used:used + length]))
        used += length
    assert used == len(data), f"{len(data) - used} bytes of pictures too many"
    return found


def overlap(a, b):
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def low_bytes(numbers):
    """Each number modulo 256."""
    words = array.array("I", numbers)
    return words.tobytes()[::words.itemsize] if sys.byteorder == "little" else bytes(n & 255 for n in words)


def unpack_rect(planes, at, total, width, height):
    """Rows of R, G, B bytes of one rectangle whose bytes begin at `at` in each plane of `total` bytes."""
    rows = []
    for begin in range(at, at + width * height, width):
        g, d1, d2 = (list(itertools.accumulate(planes[start:start + width]))
                     for start in (begin, total + begin, 2 * total + begin))
        row = bytearray(width * 3)
        row[0::3], row[1::3], row[2::3] = (low_bytes(n) for n in (map(operator.add, g, d1), g,
                                                                  map(operator.add, g, d2)))
        rows.append(row)
    return rows


class Screen:
    """The picture of a desktop as frames bring it; codecs: bits of enum codec that were announced.

    The PC's own H.264 is not decoded: films says which pixels it has drawn since they were last exact.
    """

    def __init__(self, codecs=0):
        assert codecs & CODECS["h264"] == 0, "only JPEG is decoded here"
        self.films, self.passed = bytearray(), 0
        self.codecs = codecs
        self.width = self.height = 0
        self.rgb = bytearray()
        self.frames = self.pictures = 0

    def apply(self, frame):
        rects = [struct.unpack_from("<4H", frame["rects"], at) for at in range(0, len(frame["rects"]), 8)]
        if (frame["width"], frame["height"]) != (self.width, self.height):
            assert frame["keyframe"], "the size changes without a keyframe"
            self.width, self.height = frame["width"], frame["height"]
            self.rgb = bytearray(self.width * self.height * 3)
            self.films = bytearray(self.width * self.height)
        assert self.frames or frame["keyframe"], "the first frame is no keyframe"
        for at in range(0, len(frame["copies"]), 12):
            self._copy(*struct.unpack_from("<6H", frame["copies"], at))
        self._pictures(read_pictures(frame), rects, frame)
        self._rects(rects, frame)
        self.frames += 1

    def _pictures(self, pictures, rects, frame):
        assert not (pictures and frame["keyframe"]), "a keyframe has pictures"
        area = sum(width * height for _, (_, _, width, height), _, _ in pictures)
        assert area <= self.width * self.height, "more pictures than the desktop has room for"
        drawn = list(rects)
        for codec, (x, y, width, height), parts, data in pictures:
            assert codec & self.codecs, f"codec {codec} was not announced"
            self._inside(x, y, width, height)
            assert not any(overlap(part, other) for part in parts for other in drawn), "pictures overlap"
            drawn += parts
            if codec == CODECS["avc420"]:
                self._film(parts, data)
                continue
            real_width, real_height, rgb = decode_jpeg(data)
            assert (real_width, real_height) == (width, height), "a JPEG has another size than its rectangle"
            for px, py, w, h in parts:
                assert w and h and x <= px and px + w <= x + width and y <= py and py + h <= y + height, "clip"
                starts = [((row - y) * width + px - x) * 3 for row in range(py, py + h)]
                self._put(px, py, w, [rgb[start:start + w * 3] for start in starts])
            self.pictures += 1

    def _film(self, parts, data):
        types = [data[at.end()] & 31 for at in re.finditer(b"\0\0\1", data)]
        assert types and set(types) <= {1, 5, 6, 7, 8, 9, 12}, f"NAL units {types}"
        self.passed += 1
        for x, y, width, height in parts:
            self._mark(x, y, width, height, 1)

    def _mark(self, x, y, width, height, film):
        for row in range(y, y + height):
            self.films[row * self.width + x:row * self.width + x + width] = bytes([film]) * width

    def _copy(self, sx, sy, x, y, width, height):
        self._inside(sx, sy, width, height)
        self._inside(x, y, width, height)
        rows = [row * self.width + sx for row in range(sy, sy + height)]
        assert not any(any(self.films[at:at + width]) for at in rows), "H.264 is copied"
        self._mark(x, y, width, height, 0)
        line = self.width * 3
        rows = [bytes(self.rgb[(sy + i) * line + sx * 3:(sy + i) * line + (sx + width) * 3]) for i in range(height)]
        self._put(x, y, width, rows)

    def _inside(self, x, y, width, height):
        assert width and height and x + width <= self.width and y + height <= self.height, (x, y, width, height)

    def _rects(self, rects, frame):
        total = sum(w * h for _, _, w, h in rects)
        assert frame["raw_size"] == 3 * total, "raw_size does not fit the rectangles"
        if frame["keyframe"]:
            assert total >= self.width * self.height, "a keyframe does not cover the desktop"
        planes = decompress(frame["data"], 3 * total) if total else b""
        at = 0
        for x, y, width, height in rects:
            self._inside(x, y, width, height)
            self._put(x, y, width, unpack_rect(planes, at, total, width, height))
            self._mark(x, y, width, height, 0)
            at += width * height

    def _put(self, x, y, width, rows):
        line = self.width * 3
        for i, row in enumerate(rows):
            begin = (y + i) * line + x * 3
            self.rgb[begin:begin + width * 3] = row

    def picture(self):
        return desktops.Picture(self.width, self.height, bytes(self.rgb))


class Viewer:
    """A WebSocket to a session; acknowledges frames as a browser does. codecs: bits of enum codec, without which pixels are exact."""

    def __init__(self, browser, session, width=1280, height=800, acknowledge=True, codecs=0, monitor=0, path=None):
        self.session = session
        self.socket = browser.websocket(path or f"/api/sessions/{session}/stream" + (f"/{monitor}" if monitor else ""))
        self.screen = Screen(codecs)
        self.acknowledge = acknowledge
        self.hello = None
        self.state = self.reason = None
        self.notices, self.cursors, self.pongs, self.frame_bytes = [], [], [], []
        self.sounds = []
        self.watchers = {}  # who looks on, by place
        self.watching = None  # (state, view, may_ask): what one who looks on is told of that
        self.partial = b""
        self.send("viewer_hello", version=VERSION, width=width, height=height, codecs=codecs)

    def send(self, name, **values):
        self.socket.send(encode(name, **values))

    def step(self, timeout=0.2):
        """Takes one packet; False when none came in time. Raises client.Closed."""
        try:
            kind, packet = self.socket.receive(timeout)
        except (socket.timeout, TimeoutError):
            return False
        assert kind == 2 and 1 <= len(packet) <= 65536, (kind, len(packet))
        self.partial += packet[1:]
        if not packet[0]:
            message, self.partial = self.partial, b""
            self._take(*decode(message), len(message))
        return True

    def _take(self, name, values, size):
        if name == "hello":
            self.hello, self.state = values, STATES[values["state"]]
        elif name == "status":
            self.state, self.reason = STATES[values["state"]], REASONS[values["reason"]]
        elif name == "frame":
            begin = time.monotonic()
            self.screen.apply(values)
            self.frame_bytes.append(size)
            if self.acknowledge:
                self.send("ack", sequence=values["sequence"], decode_us=int((time.monotonic() - begin) * 1e6))
        elif name == "cursor":
            self.cursors.append(values)
        elif name == "notice":
            self.notices.append((NOTICES[values["kind"]], values["seconds"]))
        elif name == "pong":
            self.pongs.append(values["number"])
        elif name == "audio":
            self.sounds.append(values)
        elif name == "watcher":
            self.watchers[values["place"]] = {**values, "state": WATCH_STATES[values["state"]]}
        elif name == "watching":
            self.watching = WATCH_STATES[values["state"]], WATCH_VIEWS[values["view"]], values["may_ask"] == 1

    def until(self, what, condition, seconds=20):
        """Reads until condition() holds; the connection may close meanwhile when that is what is waited for."""
        end = time.monotonic() + seconds * harness.PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} s for {what}; state {self.state} {self.reason}, "
                                     f"{self.screen.frames} frames, notices {self.notices}")
            try:
                self.step()
            except client.Closed:
                if condition():
                    return
                raise
        return self

    def until_picture(self, seconds=20):
        return self.until("a picture", lambda: self.screen.frames > 0, seconds)

    def until_equal(self, x, seconds=30):
        """Until the picture is the X server's, pixel by pixel."""
        end = time.monotonic() + seconds * harness.PATIENCE
        last = "nothing yet"
        while time.monotonic() < end:
            while self.step(0.3):
                pass
            shown, real = self.screen.picture(), x.picture()
            if shown == real:
                return self
            last = shown.difference(real)
        raise AssertionError(f"the picture is not the PC's after {seconds} s: {last}")

    def until_exact(self, seconds=20):
        """Until nothing is approximate by the PC's H.264 any more, and nothing comes for a moment."""
        end = time.monotonic() + seconds * harness.PATIENCE
        while time.monotonic() < end:
            quiet = not self.step(0.5)
            if quiet and not any(self.screen.films):
                return self
        raise AssertionError(f"{sum(self.screen.films)} pixels are approximate after {seconds} s")

    def until_closed(self, seconds=20):
        """Reads to the end; the close code."""
        end = time.monotonic() + seconds * harness.PATIENCE
        while time.monotonic() < end:
            try:
                self.step()
            except client.Closed as closed:
                return closed.code
        raise AssertionError(f"the connection is still open after {seconds} s")

    def move(self, x, y):
        """The pointer; TigerVNC paints it into the picture until its viewer has moved it."""
        self.send("pointer", x=x, y=y, buttons=0, wheel_x=0, wheel_y=0)

    def key(self, keysym, scancode=0):
        self.send("key", keysym=keysym, scancode=scancode, down=1)
        self.send("key", keysym=keysym, scancode=scancode, down=0)

    def type(self, text):
        """ASCII as keysyms with the scancodes of a Japanese keyboard for letters, digits and Return."""
        for char in text:
            self.key(0xFF0D if char == "\n" else ord(char), SCANCODES.get(char, 0))

    def close(self):
        self.socket.close()


SCANCODES = {"\n": 0x1C, " ": 0x39, "-": 0x0C, ".": 0x34, "/": 0x35}
for start, letters in ((0x10, "qwertyuiop"), (0x1E, "asdfghjkl"), (0x2C, "zxcvbnm"), (0x02, "1234567890")):
    for offset, letter in enumerate(letters):
        SCANCODES[letter] = start + offset
