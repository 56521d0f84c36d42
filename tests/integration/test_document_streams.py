#!/usr/bin/env python3
"""Documents through the whole gateway: large ones, versions, the bin, a virus, what is broken off, and who may what."""

import hashlib
import os
import pathlib
import signal

import clamd
import client
import harness
import transfers
from transfers import CO_OWNER, EDITOR, PREVIEWER, PREVIEWER_UPLOADER, UPLOADER, VIEWER, VIEWER_UPLOADER
from vaults import PASSPHRASE

LARGE = 100 << 20
# Of any process while a large document goes through it: far less than the document; 1.2 MiB were measured.
GROWTH_KIB = 8 << 10


class Documents(transfers.Case):
    @classmethod
    def setUpClass(cls):
        harness.need("clamd")
        daemon = clamd.Daemon()
        cls.addClassCleanup(daemon.stop)
        cls.settings = {"vault_clamd": daemon.where}
        # AddressSanitizer keeps 256 MB of what was freed, which is not what is measured here.
        options = "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
        plain = harness.environment
        harness.environment = lambda **more: plain(**more) | {"ASAN_OPTIONS": plain()["ASAN_OPTIONS"] + ":" + options}
        super().setUpClass()
        harness.environment = plain

    def newest(self, event):
        """The number of the newest entry of the audit log of that event."""
        return max((entry["seq"] for entry in self.entries(event)), default=0)

    # -- large ones ---------------------------------------------------------------------------------------------

    def peaks(self):
        """The most memory that each process has had (VmHWM of proc(5)) since it was asked last, in KiB."""
        found = {}
        pids = {role: self.gateway.pid(role) for role in ("edge", "broker", "vault")} | {"monitor": self.gateway.process.pid}
        for role, pid in pids.items():
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            found[role] = int(status.split("VmHWM:")[1].split()[0])
            if harness.ROOT:
                pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
        return found

    def test_a_hundred_megabytes_are_never_whole_in_memory(self):
        self.brought("tsukau", "小さい.txt", b"small")  # what every process needs once
        data = os.urandom(1 << 20) * (LARGE >> 20)
        self.peaks()
        before = self.peaks()
        document = self.brought("tsukau", "scan.tif", data)
        after = self.peaks()
        got, end = self.fetch("tsukau", document)
        last = self.peaks()
        self.assertEqual((end, hashlib.sha256(got).digest()), ("none", hashlib.sha256(data).digest()))
        for role in before:
            for way, peak in (("in", after[role]), ("out", last[role])):
                self.assertLess(peak - before[role], GROWTH_KIB, f"{role} {way}")
        row = self.listed("tsukau")[document]
        self.assertEqual((row["name"], row["size"]), ("scan.tif", LARGE))
        # On the disk it is not as it came.
        kept = (self.folder / "documents" / f"{document}-1").read_bytes()
        self.assertGreaterEqual(len(kept), LARGE)
        self.assertNotIn(data[:64], kept)
        refused = self.ask_add("tsukau", "larger.tif", LARGE + 1)
        self.refusal(refused, 400, "invalid", "size")

    # -- their life ---------------------------------------------------------------------------------------------

    def test_versions_and_the_bin(self):
        document = self.brought("tsukau", "給与.csv", b"first")
        self.assertEqual(self.brought("tsukau", "給与 2.csv", b"second", document), document)
        rows = self.answer("tsukau", "document versions", {"document": document})["rows"]
        self.assertEqual([(row["version"], row["name"], row["size"]) for row in rows], [(2, "給与 2.csv", 6), (1, "給与.csv", 5)])
        self.assertEqual(rows[0]["sha256"], hashlib.sha256(b"second").hexdigest())
        self.assertEqual(self.fetch("tsukau", document), (b"second", "none"))
        self.assertEqual(self.fetch("tsukau", document, 1), (b"first", "none"))
        self.answer("tsukau", "document remove", {"document": document})
        self.assertNotIn(document, self.listed("tsukau"))
        self.assertIn(document, self.listed("tsukau", removed=True))
        self.assertGreaterEqual(self.ask("tsukau", "document download", {"document": document}).status, 400)
        self.answer("tsukau", "document restore", {"document": document})
        self.assertEqual(self.fetch("tsukau", document), (b"second", "none"))
        closed = self.entries("document-closed")[-1]
        self.assertEqual((closed["account"], closed["detail"]["why"], closed["detail"]["bytes"]), ("tsukau", "done", 6))
        for path in self.gateway.dir.rglob("*.log"):
            self.assertNotIn("給与", path.read_text(errors="replace"))

    def test_a_virus_is_in_quarantine(self):
        before, entry = self.files(), self.newest("document-quarantined")
        document, end = self.bring("tsukau", "請求書.doc", clamd.EICAR)
        self.assertEqual(end, "infected")
        self.assertNotIn(document, self.listed("tsukau"))
        harness.until("the audit log to say so", lambda: self.newest("document-quarantined") > entry)
        self.assertGreaterEqual(self.ask("tsukau", "document download", {"document": document}).status, 400)
        self.refusal(self.ask("tsukau", "quarantine list"), 403, "denied")
        row = next(row for row in self.answer("kimeru", "quarantine list")["rows"] if row["document"] == document)
        self.assertIn(clamd.NAME, row["found"])
        for name in ("tsukau", "kimeru"):
            self.assertGreaterEqual(self.ask(name, "document download", {"document": document, "version": 1}).status, 400)
        self.answer("kimeru", "quarantine discard", {"document": document, "version": 1})
        self.assertEqual(self.files(), before)

    # -- what is broken off -------------------------------------------------------------------------------------

    def half_way(self, data):
        """A document of which half is in the vault."""
        to = self.stream_of("tsukau", self.ask_add("tsukau", "halb.bin", len(data)))
        transfers.send_part(to, data, len(data) // 2)
        harness.until("its file", lambda: len(self.files()) > len(self.before))
        return to

    def test_what_is_broken_off_leaves_nothing(self):
        self.before, rows = self.files(), self.listed("tsukau")
        data = os.urandom(6 << 20)
        for name, cut in (("the browser goes", lambda to: to.drop()), ("sealed", lambda to: self.cli("vault", "seal")),
                          ("killed", lambda to: self.kill())):
            with self.subTest(name):
                closed = self.newest("document-closed")
                to = self.half_way(data)
                cut(to)
                harness.until("the end in the audit log", lambda: self.newest("document-closed") > closed)
                self.assertNotEqual(self.entries("document-closed")[-1]["detail"]["why"], "done")
                if name != "the browser goes":
                    self.told_of_its_end(to, "sealed" if name == "sealed" else None)
                    self.cli("vault", "unseal", password=PASSPHRASE)
                harness.until("nothing to be left of it", lambda: self.files() == self.before)
                self.assertEqual(self.listed("tsukau"), rows)

    def told_of_its_end(self, to, why):
        """The page is not left waiting."""
        try:
            while True:
                name, said = to.receive()
                if name == "document_end":
                    self.assertEqual(transfers.ENDS[said["error"]], why)
                    return
        except client.Closed:
            self.assertIsNone(why)
        finally:
            to.drop()

    def kill(self):
        pid = self.gateway.pid("vault")
        os.kill(pid, signal.SIGKILL)
        harness.until("another vault", lambda: [p for p in self.gateway.pids("vault") if p != pid])
        harness.until("it to answer", self.try_state)

    # -- who may what -------------------------------------------------------------------------------------------

    # docs/architecture.md, written down once more.
    ROLES = {
        CO_OWNER: "upload download preview link edit delete own", EDITOR: "upload download preview link edit delete",
        VIEWER_UPLOADER: "upload download preview link edit", PREVIEWER_UPLOADER: "upload preview", VIEWER: "download preview link",
        PREVIEWER: "preview", UPLOADER: "upload", 0: "",
    }

    def look(self, to):
        """How a preview goes."""
        pages, got = transfers.show(to, 1)
        to.drop()
        return "none" if pages == 1 else got

    def tries(self, document):
        """What tsukau gets who tries each of them: None, or the error."""
        picture = transfers.png()

        def outcome(answer, stream=None):
            if answer.status != 200:
                return answer.json["error"]
            if stream:
                self.assertEqual(stream(self.stream_of("tsukau", answer)), "none")
            return None
        found = {
            "upload": outcome(self.ask_add("tsukau", "neu.png", len(picture)), lambda to: transfers.put(to, picture)),
            "edit": outcome(self.ask_add("tsukau", "bild.png", len(picture), document), lambda to: transfers.put(to, picture)),
            "download": outcome(self.ask("tsukau", "document download", {"document": document}), lambda to: transfers.get(to)[1]),
            "preview": outcome(self.ask("tsukau", "document preview", {"document": document}), self.look),
            "delete": outcome(self.ask("tsukau", "document remove", {"document": document})),
            "own": outcome(self.ask("tsukau", "grant set", {"account": self.number("hoka"), "record": self.record, "level": 1,
                                                            "number": False, "document": VIEWER})),
        }
        if not found["delete"]:
            self.answer("tsukau", "document restore", {"document": document})
        return found

    def test_seven_roles_and_their_rights(self):
        if "hoka" not in self.people:
            self.people["hoka"] = self.gateway.add_user("hoka", role="staff")
            self.duty("hoka", "use")
        document = self.brought("tsukau", "bild.png", transfers.png())
        for role, rights in self.ROLES.items():
            with self.subTest(role):
                self.give("hoka", UPLOADER, level=1)
                self.give("tsukau", role)
                may = self.answer("tsukau", "document list", {"record": self.record})["may"]
                self.assertEqual({right for right, has in may.items() if has}, set(rights.split()) - {"own"})
                found = self.tries(document)
                # A link is an address and nothing that is asked for: it is in the list's answer alone.
                self.assertEqual({right for right, error in found.items() if error is None}, set(rights.split()) - {"link"}, found)
                self.assertLessEqual({error for error in found.values() if error}, {"denied", "not-found"}, found)


if __name__ == "__main__":
    harness.main()
