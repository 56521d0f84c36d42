#!/usr/bin/env python3
"""Documents through a whole gateway: a previewer leafs through office files and scans with his name in them, and never has the file."""

import subprocess
import time
import unittest

import harness
import office_files as files
import transfers
from transfers import CO_OWNER, PREVIEWER, UPLOADER

RED, GREEN = (255, 0, 0), (0, 176, 80)


class Documents(transfers.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.duty("yosono", "use")
        mitome = cls.gateway.add_user("mitome")
        cls.duty("mitome", "manage")
        cls.people["mitome"], cls.browsers["mitome"] = mitome, mitome.login()
        # As long as a name may be.
        nagai = cls.gateway.add_user("nagai", full_name="葛" * 128)
        cls.duty("nagai", "use")
        cls.browsers["nagai"] = nagai.login()

    def open(self, name, document):
        return self.stream_of(name, self.ask(name, "document preview", {"document": document}))

    def look(self, name, document, page=1):
        """(pages, PNG)."""
        to = self.open(name, document)
        try:
            return transfers.show(to, page)
        finally:
            to.drop()

    def scan(self, *colours):
        """A TIFF of so many pages."""
        path = self.gateway.dir / "scan.tiff"
        subprocess.run(["convert", "-size", "400x400", *(f"xc:{colour}" for colour in colours), path], check=True)
        return path.read_bytes()

    def newest(self, *events):
        """The number of the newest entry of the audit log of these."""
        return max((entry["seq"] for event in events for entry in self.entries(event)), default=0)

    def helper(self):
        """The process that draws."""
        pids = self.gateway.pids("preview")
        self.assertEqual(len(pids), 1, pids)
        return pids[0]

    def nothing_draws(self):
        harness.until("sekisho-preview to be gone", lambda: not self.gateway.pids("preview"))

    # -- what is seen -------------------------------------------------------------------------------------------

    def test_a_previewer_sees_pages_and_never_has_the_file(self):
        self.give("yosono", PREVIEWER)
        documents = {"scan.tiff": self.scan("red", "blue")}
        if not files.missing():
            documents["給与.docx"] = files.docx(files.coloured("見積書", files.RED) * 20 + files.PAGE_BREAK + files.coloured("x", files.GREEN))
            documents["給与.xlsx"] = files.xlsx(['<c r="A1" s="1"><v>1</v></c>'] * 30)
        for name, data in documents.items():
            with self.subTest(name):
                document = self.brought("tsukau", name, data)
                may = self.answer("yosono", "document list", {"record": self.record})["may"]
                self.assertEqual((may["preview"], may["download"], may["upload"]), (True, False, False))
                pages, png = self.look("yosono", document)
                self.assertEqual(pages, 1 if name.endswith("xlsx") else 2)
                self.assertGreater(files.pixels(png, RED), 2000)
                # The name of who looks is in it: another's picture is another one.
                other = self.look("tsukau", document)[1]
                self.assertNotEqual(bar(png), bar(other))
                self.refusal(self.ask("yosono", "document download", {"document": document}), 403, "denied", "document")
                self.assertEqual(self.entries("document-preview")[-2]["account"], "yosono")
        self.assertEqual(len([e for e in self.entries("record-refused") if e["detail"]["op"] == "document download"]), len(documents))

    def test_a_long_name_fits(self):
        self.give("nagai", PREVIEWER)
        self.assertEqual(self.look("nagai", self.brought("tsukau", "scan.tiff", self.scan("red")))[0], 1)

    # -- leafing ------------------------------------------------------------------------------------------------

    def leaf(self, document, colours):
        """Through all of it and back, in one opening and one process that has no other; how long the pages took."""
        self.nothing_draws()
        before = self.newest("document-preview", "document-closed")
        to = self.open("tsukau", document)
        helper, took = None, []
        for page in [*range(1, len(colours) + 1), 1]:
            began = time.monotonic()
            pages, png = transfers.show(to, page)
            took.append(time.monotonic() - began)
            self.assertEqual(pages, len(colours), png)
            for colour in set(colours):
                self.assertEqual(files.pixels(png, colour) > 2000, colour == colours[page - 1], page)
            # LibreOffice was in a process of its own, which has ended.
            helper = helper or self.helper()
            self.assertEqual(self.helper(), helper)
            self.assertEqual([pid for pid, _ in harness.children_of(helper)], [])
        to.drop()
        self.nothing_draws()
        harness.until("its end in the audit log", lambda: self.newest("document-closed") > before)
        entries = [e for e in self.entries("document-preview") + self.entries("document-closed") if e["seq"] > before]
        self.assertEqual([e["event"] for e in entries], ["document-preview", "document-closed"])
        self.assertEqual(entries[0]["detail"]["version"], 1)
        self.assertNotIn("page", entries[0]["detail"])
        self.assertEqual(entries[1]["detail"]["why"], "done")
        return took

    def test_a_scan_is_leafed_through(self):
        self.leaf(self.brought("tsukau", "scan.tiff", self.scan("red", "#00b050", "red", "#00b050")), [RED, GREEN, RED, GREEN])

    @unittest.skipIf(files.missing(), files.missing())
    def test_an_office_file_is_opened_once(self):
        body = files.PAGE_BREAK.join(files.coloured("見積書", colour) * 20 for colour in (files.RED, files.GREEN, files.RED))
        took = self.leaf(self.brought("tsukau", "見積書.docx", files.docx(body)), [RED, GREEN, RED])
        print("seconds:", *(f"{seconds:.2f}" for seconds in took))

    # -- the end ------------------------------------------------------------------------------------------------

    def at_first_page(self, document):
        self.nothing_draws()
        to = self.open("yosono", document)
        self.assertEqual(transfers.show(to, 1)[0], 2)
        self.helper()
        return to

    def glass(self):
        """Break-glass for yosono."""
        asked = self.answer("kimeru", "glass ask", {"account": self.number("yosono"), "reason": "担当者の急病", "code": self.fresh_code("kimeru")})
        self.answer("mitome", "glass confirm", {"glass": asked["glass"], "code": self.fresh_code("mitome")})
        return asked["glass"]

    def test_it_ends_with_the_right(self):
        document = self.brought("tsukau", "scan.tiff", self.scan("red", "blue"))
        with self.subTest("a role within the vault"):
            self.give("yosono", PREVIEWER)
            to = self.at_first_page(document)
            self.give("yosono", UPLOADER)
            self.assertEqual(transfers.show(to, 2), (None, "ended"))
            to.drop()
        # At once, without anybody's turning a page.
        self.give("yosono", PREVIEWER)
        for name, cut, why in (("the duty", lambda: self.duty("yosono", "none"), "ended"), ("the seal", lambda: self.cli("vault", "seal"), "sealed")):
            with self.subTest(name):
                self.duty("yosono", "use")
                to = self.at_first_page(document)
                cut()
                self.assertEqual(transfers.ended(to), why)
                self.nothing_draws()

    def test_it_ends_with_break_glass(self):
        document = self.brought("tsukau", "scan.tiff", self.scan("red", "blue"))
        self.give("yosono", UPLOADER)
        self.assertEqual(self.ask("yosono", "document preview", {"document": document}).status, 403)
        glass = self.glass()
        to = self.at_first_page(document)
        self.answer("kimeru", "glass end", {"glass": glass})
        self.assertEqual(transfers.ended(to), "ended")
        self.nothing_draws()
        self.assertEqual(self.ask("yosono", "document preview", {"document": document}).status, 403)


def bar(png):
    """What stands below the page."""
    return subprocess.run(["convert", "png:-", "-gravity", "South", "-crop", f"x{files.BAR}+0+0", "rgb:-"], input=png,
                          stdout=subprocess.PIPE, check=True).stdout


if __name__ == "__main__":
    harness.main()
