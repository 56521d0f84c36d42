#!/usr/bin/env python3
"""The measuring tool works: short rows come with figures that can be true, and nothing is left behind."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import harness  # noqa: E402


class Run(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.need("Xtigervnc", "openbox", "xterm", "xdotool", "import")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-bench-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.folder.chmod(0o755)  # the gateway's users pass through
        result = cls.folder / "bench.json"
        cls.done = subprocess.run(
            [HERE / "run", "--only", "typing", "--only", "idle", "--seconds", "2", "--json", result],
            env={**os.environ, "TMPDIR": str(cls.folder)}, capture_output=True, text=True, timeout=200)
        assert cls.done.returncode == 0, cls.done.stdout + cls.done.stderr
        cls.result = json.loads(result.read_text())
        cls.rows = {(row["work"], row["through"]): row for row in cls.result["rows"]}

    def test_typing(self):
        row = self.rows["typing", "gateway"]
        self.assertGreaterEqual(row["inputs"], 12)
        self.assertGreaterEqual(row["answers"], row["inputs"] // 2)
        self.assertGreaterEqual(row["messages"], row["answers"])
        self.assertTrue(0 < row["p50"] <= row["p95"] < 1000, row)
        self.assertTrue(0 < row["kb_frame"] < 100, row)
        self.assertLess(row["exact_s"], 3)
        for part in ("edge", "worker", "xserver", "viewer"):
            self.assertTrue(0 < row[part] < 100, row)
        self.assertGreater(row["worker_mb"], 5)
        self.assertGreater(row["edge_mb"], 1)

    def test_idle(self):
        row = self.rows["idle", "gateway"]
        self.assertEqual(row["messages"], 0)
        self.assertLess(row["bytes"], 1000)
        self.assertLess(row["exact_s"], 3)

    def test_others_beside_it(self):
        self.assertGreater(self.rows["typing", "bare"]["p50"], 0)
        self.assertEqual(("typing", "websockify") in self.rows, bool(shutil.which("websockify")))
        self.assertNotIn(("idle", "bare"), self.rows)

    def test_table_and_targets(self):
        self.assertEqual(self.done.stdout.count("\n| "), len(self.rows))  # the title begins the text
        self.assertTrue(any(t["target"].startswith("typing: ") for t in self.result["targets"]))

    def test_nothing_is_left(self):
        self.assertEqual([path.name for path in self.folder.iterdir()], ["bench.json"])
        for command in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                self.assertNotIn(str(self.folder), command.read_text(errors="replace"))
            except OSError:
                pass


if __name__ == "__main__":
    harness.main()
