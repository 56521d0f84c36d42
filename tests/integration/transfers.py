"""Documents on their way into the vault and out of it, as docs/protocol.md says ("Transfer of a document")."""

import hashlib
import struct
import zlib

import client
import keeping
import stream

PIECE, WINDOW, TAKEN_EVERY, SUMMED = 60000, 1 << 20, 256 << 10, 256 << 10
ENDS = stream.constants("document_end")
CO_OWNER, EDITOR, VIEWER_UPLOADER, PREVIEWER_UPLOADER, VIEWER, PREVIEWER, UPLOADER = range(1, 8)


def png(width=24, height=24):
    """A picture that every reader knows: grey."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = (b"\0" + b"\x80" * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)) + \
        chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def sum_of(data):
    """As docs/protocol.md has it: of the sums of its pieces."""
    pieces = (data[at:at + SUMMED] for at in range(0, len(data), SUMMED))
    return hashlib.sha256(b"".join(hashlib.sha256(piece).digest() for piece in pieces)).digest()


class Stream:
    """The page's end."""

    def __init__(self, browser, path):
        self.socket = browser.websocket(path)
        self.socket._agree = lambda data: self.socket.sock.close()

    def send(self, name, **values):
        self.socket.send(stream.encode(name, **values))

    def receive(self):
        kind, data = self.socket.receive(120)
        assert kind == 2, "not a binary message"
        return stream.decode(data)

    def drop(self):
        self.socket.drop()


def send_part(to, data, until):
    """Bytes of a document as the window lets them, up to there; how many the vault has taken then."""
    sent = taken = 0
    while sent < until:
        piece = data[sent:min(sent + PIECE, until)]
        while sent + len(piece) > taken + WINDOW:
            name, said = to.receive()
            if name == "document_end":
                raise client.Closed(ENDS[said["error"]])
            taken = said["bytes"]
        to.send("document_put", offset=sent, data=piece)
        sent += len(piece)
    return taken


def put(to, data):
    """All of it; how it ended."""
    send_part(to, data, len(data))
    to.send("document_whole", bytes=len(data), sum=sum_of(data))
    name = ""
    while name != "document_end":
        name, said = to.receive()
    to.drop()
    return ENDS[said["error"]]


def get(to):
    """(what came, how it ended)."""
    to.send("document_got", bytes=0)
    found, told = bytearray(), 0
    while True:
        name, said = to.receive()
        if name == "document_end":
            to.drop()
            assert said["error"] or sum_of(bytes(found)) == said["sum"], "another sum"
            return bytes(found), ENDS[said["error"]]
        assert (name, said["offset"]) == ("document_data", len(found))
        found += said["data"]
        if len(found) - told >= TAKEN_EVERY:
            told = len(found)
            to.send("document_got", bytes=told)


def show(to, page):
    """(how many pages, the picture of one) of a preview, which stays open; or (None, how it ended)."""
    to.send("document_show", page=page)
    name, about = to.receive()
    if name == "document_end":
        return None, ENDS[about["error"]]
    assert (name, about["page"]) == ("document_page", page)
    picture, told = bytearray(), 0
    while len(picture) < about["bytes"]:
        name, said = to.receive()
        assert (name, said["offset"]) == ("document_data", len(picture))
        picture += said["data"]
        if len(picture) - told >= TAKEN_EVERY:
            told = len(picture)
            to.send("document_got", bytes=told)
    return about["pages"], bytes(picture)


def ended(to):
    """How the vault ends it while nothing is asked."""
    name, said = to.receive()
    assert name == "document_end", name
    to.drop()
    return ENDS[said["error"]]


class Case(keeping.Case):
    """A record of tsukau's client, at which tsukau is co-owner of the documents."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.record = None

    def setUp(self):
        super().setUp()
        if not type(self).record:
            type(self).record, _ = self.collect()
        self.give("tsukau", CO_OWNER)

    def give(self, name, role, level=2):
        self.answer("kimeru", "grant set", {"account": self.number(name), "record": self.record, "level": level, "number": False,
                                            "document": role})

    def ask_add(self, who, name, size, document=0):
        return self.ask(who, "document add", {"record": self.record, "name": name, "size": size} | ({"document": document} if document else {}))

    def stream_of(self, who, answer):
        self.assertEqual(answer.status, 200, answer)
        return Stream(self.browsers[who], answer.json["stream"])

    def bring(self, who, name, data, document=0):
        """(the document's number, how it ended)."""
        answer = self.ask_add(who, name, len(data), document)
        return answer.json.get("document"), put(self.stream_of(who, answer), data)

    def brought(self, who, name, data, document=0):
        number, end = self.bring(who, name, data, document)
        self.assertEqual(end, "none")
        return number

    def fetch(self, who, document, version=0):
        return get(self.stream_of(who, self.ask(who, "document download", {"document": document} | ({"version": version} if version else {}))))

    def listed(self, who, **more):
        return {row["id"]: row for row in self.answer(who, "document list", {"record": self.record} | more)["rows"]}

    def files(self):
        folder = self.folder / "documents"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []
