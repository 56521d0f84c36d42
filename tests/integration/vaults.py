"""The vault of a whole gateway in tests: what all of its tests do."""

import json
import os
import shutil
import signal

import harness

PASSPHRASE, CHOSEN = "iwato-no-kagi-58-suzu", "ama-no-uzume-no-mai-31"
# The rows of a sheet of zeros: all that can be typed without one.
BLANK = ["00000000" + "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[digit] for digit in divmod((row << 40) % 1021, 32)) for row in range(8)]


class Case(harness.Case):
    """Each test begins with a vault that nobody has made yet."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.gateway.dir / "state" / "vault"

    def setUp(self):
        self.cli("vault", "seal")
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.restart()
        self.assertEqual(self.state(), "empty")

    def restart(self):
        pid = self.gateway.pid("vault")
        os.kill(pid, signal.SIGKILL)
        harness.until("another vault", lambda: [p for p in self.gateway.pids("vault") if p != pid])
        harness.until("it to answer", self.try_state)

    def try_state(self):
        try:
            return self.state()
        except harness.CliError:
            return None

    def cli(self, *arguments, password=None):
        return self.gateway.cli(*arguments, password=password)

    def rows(self):
        return {row["part"]: row for row in self.gateway.rows("vault", "status")}

    def state(self):
        return self.rows()["house-key"]["state"]

    def refused(self, error, *arguments, password=None, field=None):
        with self.assertRaises(harness.CliError) as caught:
            self.cli(*arguments, password=password)
        text = str(caught.exception)
        self.assertIn(f'"error":"{error}"', text)
        if field:
            self.assertIn(f'"field":"{field}"', text)
        return text

    def log_of(self, event):
        rows = self.gateway.rows("audit", "list", "--last", "60")
        return [json.loads(r["detail"]) for r in sorted(rows, key=lambda r: r["seq"]) if r["event"] == event]

    def init(self):
        return self.cli("vault", "init", password=PASSPHRASE)

    def file(self):
        return json.loads((self.folder / "root.json").read_text())

    def typed(self, *sheets):
        return "\n".join(row for sheet in sheets for row in sheet)
