"""A TPM made of software (swtpm), for systemd-creds."""

import pathlib
import subprocess

import harness


class Tpm:
    """One of its own in the folder; its control port is the next one, as libtss2 has it."""

    def __init__(self, folder):
        self.folder, self.port = pathlib.Path(folder), harness.free_port()
        self.folder.mkdir()
        self.process = harness.Process(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}", "--server", f"type=tcp,port={self.port},bindaddr=127.0.0.1",
             "--ctrl", f"type=tcp,port={self.port + 1},bindaddr=127.0.0.1", "--flags", "not-need-init,startup-clear"],
            self.folder.with_suffix(".log"))
        harness.until("the TPM", lambda: f":{self.port:04X} 00000000:0000 0A" in pathlib.Path("/proc/net/tcp").read_text())

    @property
    def device(self):
        """For SYSTEMD_TPM2_DEVICE."""
        return f"swtpm:host=127.0.0.1,port={self.port}"

    def run(self, *command, **kw):
        """A command that finds this TPM."""
        return subprocess.run([str(word) for word in command], capture_output=True, timeout=60,
                              env=harness.environment(SYSTEMD_TPM2_DEVICE=self.device), **kw)

    def stop(self):
        return self.process.stop()
