#!/usr/bin/env python3
"""Documents through a whole gateway: a previewer sees the pages of office files and scans with his name in them, and never has the file."""

import struct
import subprocess

import harness
import keeping
import office_files as files
import transfers

DATA, END, PAGE, GOT = 0x0f01, 0x0f02, 0x0f04, 0x0f43
CO_OWNER, PREVIEWER = 1, 6
RED = (255, 0, 0)


class Documents(keeping.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.duty("yosono", "use")
        # As long as a name may be.
        nagai = cls.gateway.add_user("nagai", full_name="葛" * 128)
        cls.duty("nagai", "use")
        cls.browsers["nagai"] = nagai.login()

    def give(self, name, record, role):
        self.answer("kimeru", "grant set", {"account": self.number(name), "record": record, "level": 2, "number": False, "document": role})

    def bring(self, record, name, data):
        asked = self.answer("tsukau", "document add", {"record": record, "name": name, "size": len(data)})
        self.assertEqual(transfers.put(transfers.Stream(self.browsers["tsukau"], asked["stream"]), data), "none")
        return asked["document"]

    def look(self, name, document, page=1):
        """(error, pages, PNG)."""
        asked = self.answer(name, "document preview", {"document": document, "page": page})
        stream = self.browsers[name].websocket(asked["stream"], timeout=120 * harness.PATIENCE)
        stream.send(struct.pack("<HQ", GOT, 0))
        pages, png = 0, b""
        while True:
            said = stream.receive()[1]
            kind, = struct.unpack_from("<H", said)
            if kind == PAGE:
                pages = struct.unpack_from("<II", said, 2)[1]
            elif kind == DATA:
                png += said[14:]
                stream.send(struct.pack("<HQ", GOT, len(png)))
            else:
                self.assertEqual(kind, END)
                stream.close()
                return said[2], pages, png

    def test_a_previewer_sees_pages_and_never_has_the_file(self):
        record, _ = self.collect()
        for name, role in (("tsukau", CO_OWNER), ("yosono", PREVIEWER)):
            self.give(name, record, role)
        tiff = self.gateway.dir / "scan.tiff"
        subprocess.run(["convert", "-size", "400x400", "xc:red", "xc:blue", tiff], check=True)
        documents = {"scan.tiff": tiff.read_bytes()}
        if not files.missing():
            documents["給与.docx"] = files.docx(files.coloured("見積書", files.RED) * 20 + files.PAGE_BREAK + files.coloured("x", files.GREEN))
            documents["給与.xlsx"] = files.xlsx(['<c r="A1" s="1"><v>1</v></c>'] * 30)
        for name, data in documents.items():
            with self.subTest(name):
                document = self.bring(record, name, data)
                may = self.answer("yosono", "document list", {"record": record})["may"]
                self.assertEqual((may["preview"], may["download"], may["upload"]), (True, False, False))
                error, pages, png = self.look("yosono", document)
                self.assertEqual(error, 0)
                self.assertEqual(pages, 1 if name.endswith("xlsx") else 2)
                self.assertGreater(files.pixels(png, RED), 2000)
                # The name of who looks is in it: another's picture is another one.
                other = self.look("tsukau", document)[2]
                self.assertNotEqual(bar(png), bar(other))
                self.refusal(self.ask("yosono", "document download", {"document": document}), 403, "denied", "document")
                self.assertEqual(self.entries("document-preview")[-2]["account"], "yosono")
        self.assertEqual(len([e for e in self.entries("record-refused") if e["detail"]["op"] == "document download"]), len(documents))

    def test_a_long_name_fits(self):
        record, _ = self.collect()
        for name, role in (("tsukau", CO_OWNER), ("nagai", PREVIEWER)):
            self.give(name, record, role)
        png = self.gateway.dir / "scan.png"
        subprocess.run(["convert", "-size", "400x400", "xc:red", png], check=True)
        self.assertEqual(self.look("nagai", self.bring(record, "scan.png", png.read_bytes()))[0], 0)


def bar(png):
    raw = subprocess.run(["convert", "png:-", "-gravity", "South", "-crop", f"x{files.BAR}+0+0", "rgb:-"], input=png,
                         stdout=subprocess.PIPE, check=True).stdout
    return raw


if __name__ == "__main__":
    harness.main()
