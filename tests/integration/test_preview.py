#!/usr/bin/env python3
"""Office files as sekisho-preview shows them, which is started here as the vault has it started: good ones, and such as want to reach
the network, other files or all of the memory."""

import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import tempfile
import unittest
import zlib

import harness
import office_files as files

NONE, FAILED, FORMAT, PROGRAM, LIMITS, PASSWORD = 0, 10, 11, 12, 13, 14
START, DATA, SHOW, PAGE, PICTURE = 0x1001, 0x1002, 0x1003, 0x1081, 0x1082
WHO = "山田 花子"
RED = (255, 0, 0)


def chunk(kind, data):
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


class Listener:
    """Somebody on the loopback address whom a document names; how many have come."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def came(self):
        return bool(select.select([self.socket], [], [], 0)[0])

    def close(self):
        self.socket.close()


@unittest.skipIf(files.missing(), files.missing())
class Preview(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sekisho-preview-")
        self.addCleanup(self.folder.cleanup)
        self.settings = pathlib.Path(self.folder.name) / "sekisho.conf"
        self.settings.write_text("")
        self.log = pathlib.Path(self.folder.name) / "log"

    def show(self, document, page=1, kill=None):
        """(error, pages, PNG) as the vault would hear it, or (None, 0, b"") when the program ended without an answer. kill: a signal for the
        process that LibreOffice runs in."""
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

        with self.log.open("ab") as log:
            process = subprocess.Popen([harness.BUILD / "bin" / "sekisho-preview", self.settings], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, close_fds=False, preexec_fn=lambda: os.dup2(its.fileno(), 3))
        its.close()
        ours.settimeout(90 * harness.PATIENCE)
        try:
            who = WHO.encode()
            ours.send(struct.pack("<HQI", START, len(document), len(who)) + who + b"\0")
            if kill:
                children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
                harness.until("the process for LibreOffice", lambda: children.read_text().strip())
                os.kill(int(children.read_text()), kill)
            for at in range(0, len(document), 60000):
                piece = document[at:at + 60000]
                ours.send(struct.pack("<HI", DATA, len(piece)) + piece)
            ours.send(struct.pack("<HI", SHOW, page))
            answer = ours.recv(128 * 1024)
            if not answer:
                return None, 0, b""
            kind, error, pages, size = struct.unpack("<HBII", answer)
            self.assertEqual(kind, PAGE)
            png = b""
            while len(png) < size:
                part = ours.recv(128 * 1024)
                self.assertEqual(struct.unpack("<H", part[:2])[0], PICTURE)
                png += part[6:]
            return error, pages, png
        finally:
            ours.close()
            process.wait()

    def shown(self, document, page=1):
        error, pages, png = self.show(document, page)
        self.assertEqual(error, NONE, self.log.read_text(errors="replace"))
        return pages, png

    def expect(self, document, *errors):
        error, _, png = self.show(document)
        self.assertIn(error, errors, self.log.read_text(errors="replace"))
        self.assertEqual(png, b"")

    # ---- good ones ----

    def test_a_letter(self):
        letter = files.docx(files.coloured("見積書", files.RED) * 5 + files.PAGE_BREAK + files.coloured("次の頁", files.GREEN))
        pages, png = self.shown(letter)
        self.assertEqual(pages, 2)
        self.assertGreater(files.pixels(png, RED), 20000)
        pages, png = self.shown(letter, 2)
        self.assertEqual(files.pixels(png, RED), 0)

    def test_a_table(self):
        pages, png = self.shown(files.xlsx(['<c r="A1" s="1" t="inlineStr"><is><t>給与</t></is></c><c r="B1" s="1"><v>250000</v></c>'] * 9))
        self.assertEqual(pages, 1)
        self.assertGreater(files.pixels(png, RED), 5000)

    def test_others(self):
        for name, document in (("odt", files.opendocument("text", files.odt('<text:p text:style-name="red">届出</text:p>'))),
                               ("odp", files.odp()), ("rtf", files.rtf("letter"))):
            with self.subTest(name):
                self.assertGreater(files.pixels(self.shown(document)[1], RED), 1000)

    # ---- such as reach out ----

    def test_nothing_is_fetched(self):
        there = Listener()
        self.addCleanup(there.close)
        url = there.url
        secret = pathlib.Path(self.folder.name) / "secret.png"
        subprocess.run(["convert", "-size", "400x400", f"xc:#{files.RED}", secret], check=True)
        # One that came along is shown.
        _, png = self.shown(files.docx(files.picture("p1", "embed"), files.relation("p1", "image", "media/a.png"),
                                       more={"word/media/a.png": secret.read_bytes()}))
        self.assertGreater(files.pixels(png, RED), 50000)
        documents = {
            "docx": files.docx(
                files.picture("p1") + files.picture("p2") + "".join(
                    f'<w:p><w:fldSimple w:instr=" {field} "><w:r><w:t>x</w:t></w:r></w:fldSimple></w:p>' for field in (
                        f"INCLUDEPICTURE &quot;{url}/b.png&quot; \\d", f"INCLUDETEXT &quot;{url}/c.docx&quot;")),
                files.relation("p1", "image", f"{url}/a.png", True) + files.relation("p2", "image", f"file://{secret}", True), '<w:attachedTemplate r:id="t1"/>',
                files.relation("t1", "attachedTemplate", f"{url}/evil.dotm", True)),
            "odt": files.opendocument("text", files.odt(
                f'<text:section text:name="s"><text:section-source xlink:type="simple" xlink:href="{url}/d.odt"/><text:p/></text:section>' +
                "".join(f'<text:p><draw:frame text:anchor-type="as-char" svg:width="9cm" svg:height="9cm"><draw:image xlink:href="{where}" xlink:type="simple" '
                        'xlink:show="embed" xlink:actuate="onLoad"/></draw:frame></text:p>' for where in (f"{url}/e.png", f"file://{secret}")))),
            "xlsx": files.xlsx(
                [f'<c r="A1" t="str"><f>_xlfn.WEBSERVICE("{url}/f")</f><v>x</v></c>', '<c r="A2"><f>[1]Sheet1!A1</f><v>1</v></c>'],
                {"xl/externalLinks/externalLink1.xml":
                 f'<?xml version="1.0" encoding="UTF-8"?><externalLink xmlns="{files.SHEET}"><externalBook xmlns:r="{files.OF}" r:id="x1">'
                 '<sheetNames><sheetName val="Sheet1"/></sheetNames></externalBook></externalLink>',
                 "xl/externalLinks/_rels/externalLink1.xml.rels": files.RELATIONS.format(
                     files.relation("x1", "externalLinkPath", f"{url}/g.xlsx", True))},
                '<externalReferences><externalReference r:id="e1"/></externalReferences>',
                files.relation("e1", "externalLink", "externalLinks/externalLink1.xml"),
                files.part("/xl/externalLinks/externalLink1.xml", "spreadsheetml.externalLink")),
        }
        for name, document in documents.items():
            with self.subTest(name):
                _, png = self.shown(document)
                self.assertFalse(there.came())
                self.assertEqual(files.pixels(png, RED), 0)

    def test_no_macro_runs(self):
        _, png = self.shown(files.odt_with_macro('ThisComponent.Text.String = ""\nThisComponent.Text.createTextCursor().ParaBackColor = -1'))
        self.assertGreater(files.pixels(png, RED), 1000)

    # ---- others ----

    def test_a_password(self):
        self.expect(files.odt_with_password(), PASSWORD)

    def test_what_is_no_office_file(self):
        letter = files.docx(files.coloured("x", files.RED))
        for name, document in (("cut", letter[:len(letter) // 2]), ("a zip", files.zipped({"a.txt": "a" * 1000})),
                               ("nothing in it", files.zipped({})), ("ole", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)),
                               ("too large", b"PK\3\4" + bytes(33 << 20))):
            with self.subTest(name):
                errors = {"too large": (LIMITS,), "ole": (FORMAT, LIMITS)}
                self.expect(document, *errors.get(name, (FORMAT,)))

    def test_the_log_says_what_ended_it(self):
        letter = files.docx(files.coloured("x", files.RED))
        for end, how in ((signal.SIGSYS, "signal 31 SYS: a system call that its sandbox forbids"), (signal.SIGXCPU, "signal 24 XCPU"),
                         (signal.SIGKILL, "signal 9 KILL: its processor time was over, or the machine's memory")):
            with self.subTest(end):
                self.assertEqual(self.show(letter, kill=end)[0], LIMITS)
                self.assertIn(f'event=office-ended how="{how}"', self.log.read_text())

    def test_bombs(self):
        text = '<?xml version="1.0" encoding="UTF-8"?>{}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">' \
               "<w:body><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:body></w:document>"
        entities = "<!DOCTYPE x [<!ENTITY a0 'aaaaaaaaaa'>" + "".join(
            f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 12)) + "]>"
        pixels = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)) + \
            chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")
        for name, document in (
                ("entities", files.docx("", more={"word/document.xml": text.format(entities, "&a11;")})),
                ("pixels", files.docx(files.picture("p1", "embed"), files.relation("p1", "image", "media/a.png"),
                                      more={"word/media/a.png": pixels})),
                ("zip", files.docx("", more={"word/document.xml": text.format("", "a" * (400 << 20))}))):
            with self.subTest(name):
                error, _, _ = self.show(document)
                self.assertIn(error, (NONE, FORMAT, LIMITS) if name == "pixels" else (FORMAT, LIMITS))


if __name__ == "__main__":
    harness.main()
