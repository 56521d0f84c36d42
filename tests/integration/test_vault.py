#!/usr/bin/env python3
"""The vault's seal through the whole gateway: the ceremony, its sheets, opening and closing."""

import os
import pathlib
import pty
import re

import harness
import vaults
from vaults import CHOSEN, PASSPHRASE

ROW = re.compile(r"([0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{2}")


class Seal(vaults.Case):
    def test_the_ceremony_and_its_sheets(self):
        made = self.init()
        self.assertEqual([len(sheet) for sheet in made["sheets"]], [8, 8, 8])
        for sheet in made["sheets"]:
            for row in sheet:
                self.assertRegex(row, ROW)
        self.assertEqual((made["office"], made["generation"]), ("試験事務所", self.file()["generation"]))
        rows = self.rows()
        there = any(pathlib.Path("/usr/lib/libreoffice/program", name).exists() for name in ("libmergedlo.so", "libsofficeapp.so"))
        self.assertEqual({part: row["state"] for part, row in rows.items()},
                         {"house-key": "unsealed", "passphrase": "ready", "sheets": "ready", "machine": "none", "token": "none",
                          "libreoffice": "installed" if there else "none"})
        self.assertEqual("libreoffice-writer-nogui" in self.cli("vault", "status").get("hint", ""), not there)
        self.assertNotIn("sheets", self.cli("vault", "status"))
        with self.subTest("never stored"):
            secrets = [row for sheet in made["sheets"] for row in sheet]
            for path in self.gateway.dir.rglob("*"):
                if path.is_file() and "bin" not in path.parts:
                    data = path.read_bytes()
                    self.assertFalse([row for row in secrets if row.encode() in data or row.replace("-", "").encode() in data], path)
        with self.subTest("once"):
            self.refused("exists", "vault", "init", password=PASSPHRASE)
        with self.subTest("a year later"):
            self.assertEqual(self.cli("vault", "check", password=self.typed(made["sheets"][1]))["sheet"], 2)
            wrong = list(made["sheets"][1])
            wrong[4] = wrong[4][:-1] + ("7" if wrong[4][-1] != "7" else "8")
            self.refused("code", "vault", "check", password=self.typed(wrong), field="sheet-1")

    def test_pages_to_print(self):
        pages = self.gateway.dir / "sheets"
        self.cli("vault", "init", "--out", pages, password=PASSPHRASE)
        self.assertEqual(sorted(p.name for p in pages.iterdir()), ["sheet-1.html", "sheet-2.html", "sheet-3.html"])
        self.assertEqual(pages.stat().st_mode & 0o777, 0o700)
        rows = []
        for number, keeper in enumerate(("所長", "監査人", "システム管理者"), 1):
            text = (pages / f"sheet-{number}.html").read_text()
            for wanted in (keeper, f"{number} / 3", "試験事務所", "回復シート", "Recovery sheet"):
                self.assertIn(wanted, text)
            self.assertNotIn("{{", text)
            self.assertNotIn("<script", text)
            rows.append(re.findall(r"<td>([^<]+)</td>", text))
        self.refused("exists", "vault", "shares", "--out", pages, password=PASSPHRASE)
        self.cli("vault", "recover", password=self.typed(rows[2], rows[0]) + "\n" + CHOSEN)

    def test_at_a_terminal(self):
        """What a person sees: explained, asked twice, and the pages are deleted once they are printed."""
        pages = self.gateway.dir / "at-the-terminal"
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(self.gateway.bin / "sekisho", ["sekisho", "--config", str(self.gateway.settings_path), "vault", "init",
                      "--out", str(pages)], harness.environment(LC_ALL="C.UTF-8"))
        said = b""

        def wait(words):
            nonlocal said
            while words not in said:
                said += os.read(terminal, 4096)
            said = said.split(words, 1)[1]
        for asked in (b"passphrase for the vault: ", b"once more: "):
            wait(asked)
            os.write(terminal, PASSPHRASE.encode() + b"\n")
        wait(b"Press Enter once all three are printed")
        self.assertEqual(len(list(pages.iterdir())), 3)
        rows = re.findall(r"<td>([^<]+)</td>", (pages / "sheet-3.html").read_text())
        os.write(terminal, b"\n")
        wait(b"The files are deleted")
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        os.close(terminal)
        self.assertFalse(pages.exists())
        # A wrong row is named at once, and asked for again.
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(self.gateway.bin / "sekisho", ["sekisho", "--config", str(self.gateway.settings_path), "vault", "check"],
                      harness.environment(LC_ALL="C.UTF-8"))
        said = b""
        wait(b" A: ")
        os.write(terminal, b"0000-0000-01\n")
        wait(b"That is not right")
        for row in rows:
            wait(b": ")
            os.write(terminal, row.lower().encode() + b"\n")
        wait(b"sheet")
        wait(b"3")
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        os.close(terminal)

    def test_sealed_after_a_restart_and_at_once(self):
        self.init()
        self.restart()
        self.assertEqual(self.state(), "sealed")
        self.cli("vault", "unseal", password=PASSPHRASE)
        self.assertEqual(self.state(), "unsealed")
        self.cli("vault", "seal")
        self.assertEqual(self.state(), "sealed")


if __name__ == "__main__":
    harness.main()
