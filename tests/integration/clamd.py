"""A real daemon of ClamAV, with one signature of our own: that of the EICAR test file."""

import pathlib
import shutil
import tempfile

import harness

# Apart, so that no scanner finds it in here.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-" b"ANTIVIRUS-TEST-FILE!$H+H*"
NAME = "Sekisho.Test.Eicar"


class Daemon:
    """Stop() ends it. where is what vault.clamd says."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-clamd-"))
        self.where = self.folder / "clamd.ctl"
        (self.folder / "test.ndb").write_text(f"{NAME}:0:*:{EICAR.hex()}\n")
        settings = self.folder / "clamd.conf"
        settings.write_text(f"LocalSocket {self.where}\nDatabaseDirectory {self.folder}\nTemporaryDirectory {self.folder}\nForeground yes\n"
                            "StreamMaxLength 101M\nMaxScanSize 101M\nMaxFileSize 101M\n")
        self.process = harness.Process(["/usr/sbin/clamd", "-c", settings], self.folder / "clamd.log")
        harness.until("clamd to listen", self.where.exists, 60)

    def stop(self):
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
