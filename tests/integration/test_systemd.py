#!/usr/bin/env python3
"""The unit of deploy/systemd under a systemd of its own, in namespaces over a copy of this machine's files: the gateway starts
with all that the unit forbids, and the credential that the guide describes opens the vault at the next start."""

import json
import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import unittest

import harness
import tpm

SYSTEMD = "/usr/lib/systemd/systemd"
PASSPHRASE = "iwato-no-kagi-58-suzu"

# In a group of processes of its own, which is removed at the end.
OUTSIDE = """set -eu
groups=$(mktemp -d)
mount -t cgroup2 cgroup2 "$groups"
mkdir "$groups/$NAME"
echo $$ >"$groups/$NAME/cgroup.procs"
unshare --mount --propagation private --pid --fork --kill-child --mount-proc --cgroup --ipc --uts bash "$OUT/boot" || true
echo $$ >"$groups/cgroup.procs"
find "$groups/$NAME" -depth -type d -exec rmdir {} +
umount "$groups"
rmdir "$groups"
"""

# What systemd gets for a root: this machine's, with every change in memory. A command to a line, so that the first that fails ends it.
BOOT = """set -eu
mount -t tmpfs tmpfs "$OUT/root"
root=$OUT/root/root
mkdir "$OUT/root/upper" "$OUT/root/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$OUT/root/upper,workdir=$OUT/root/work" "$root"
mountpoint -q "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/etc/systemd/system"
mkdir -p "$root/usr/lib/sekisho" "$root/etc/sekisho" "$root/var/lib/sekisho" "$root/mnt" "$root/run/lock"
mount -t tmpfs tmpfs "$root/etc/sekisho"
mount -t tmpfs tmpfs "$root/var/lib/sekisho"
mount --bind "$PROGRAMS" "$root/usr/lib/sekisho"
mount --bind "$OUT" "$root/mnt"
mkdir "$root/etc/systemd/system/sekisho.service.d"
cp "$OUT/log.conf" "$root/etc/systemd/system/sekisho.service.d/"
cp "$UNIT" "$OUT/test.target" "$OUT/test.service" "$root/etc/systemd/system/"
cp "$OUT/sekisho.conf" "$root/etc/sekisho/"
mount --make-rshared "$root"
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=sekisho SYSTEMD_TPM2_DEVICE="$DEVICE" chroot "$root" \\
	/usr/lib/systemd/systemd --system --unit=test.target --log-target=null --show-status=no
"""

# What an administrator does, as the guide says.
INSIDE = """exec 2>/mnt/errors
touch /mnt/booted
sekisho() { /usr/lib/sekisho/sekisho --config /etc/sekisho/sekisho.conf --json "$@"; }
up() { for i in $(seq 200); do sekisho ca show >/dev/null 2>&1 && sekisho vault status 2>/dev/null && return; sleep 0.3; done; }
up >/mnt/0.json
echo "$PASSPHRASE" | sekisho vault init >/dev/null
echo "$PASSPHRASE" | sekisho vault machine --out /etc/sekisho/vault.cred --with-key "$KEY" >/mnt/machine.json
systemctl restart sekisho && up >/mnt/1.json
printf '[Service]\\nLoadCredentialEncrypted=sekisho-vault:/etc/sekisho/vault.cred\\n' >/etc/systemd/system/sekisho.service.d/override.conf
printf '[vault]\\npassphrase_file = /run/credentials/sekisho.service/sekisho-vault\\n' >>/etc/sekisho/sekisho.conf
systemctl daemon-reload && systemctl restart sekisho && up >/mnt/2.json
systemctl show sekisho >/mnt/unit
touch /mnt/done
systemctl --force --force poweroff
"""


class Systemd(unittest.TestCase):
    def setUp(self):
        harness.need_root()
        harness.need("unshare", "systemd-creds", "swtpm")
        if not os.access(SYSTEMD, os.X_OK):
            harness.skip("needs systemd")
        harness.make_users()
        self.out = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-systemd-"))
        self.addCleanup(shutil.rmtree, self.out, ignore_errors=True)
        self.out.chmod(0o755)

    def boot(self, key):
        """What `sekisho vault status` says after the first start, the second and the third, which has the credential."""
        out = self.out
        machine = tpm.Tpm(out / "tpm")
        self.addCleanup(machine.stop)
        (out / "root").mkdir()
        shutil.copytree(harness.BUILD / "share" / "viewer", out / "viewer")
        ports = harness.free_port(), harness.free_port()
        files = {"boot": BOOT, "inside": INSIDE, "log.conf": "[Service]\nStandardOutput=append:/mnt/log\nStandardError=append:/mnt/log\n",
                 "sekisho.conf": f"[gateway]\nlisten = 127.0.0.1:{ports[0]}\nenrol_listen = 127.0.0.1:{ports[1]}\nname = localhost\n"
                                 "office = test\nviewer_dir = /mnt/viewer\n[recording]\nfree_megabytes = 0\n",
                 "test.target": "[Unit]\nWants=sekisho.service test.service\n",
                 "test.service": "[Unit]\nDefaultDependencies=no\nAfter=sekisho.service\n[Service]\nType=oneshot\n"
                                 f"Environment=KEY={key} PASSPHRASE={PASSPHRASE} SYSTEMD_TPM2_DEVICE={machine.device}\n"
                                 "ExecStart=/bin/bash /mnt/inside\n"}
        for name, text in files.items():
            (out / name).write_text(text)
        done = subprocess.run(["unshare", "--mount", "bash", "-c", OUTSIDE], capture_output=True, timeout=100 * harness.PATIENCE, check=False,
                              env=harness.environment(OUT=str(out), NAME=f"sekisho-test-{secrets.token_hex(4)}", DEVICE=machine.device,
                                                      PROGRAMS=str(harness.BUILD / "bin"),
                                                      UNIT=str(harness.SOURCE / "deploy" / "systemd" / "sekisho.service")))
        if not (out / "booted").exists():
            harness.skip(f"no second systemd runs here: {done.stderr.decode(errors='replace')[-300:]}")
        self.assertTrue((out / "done").exists(), done)
        return [{row[0]: row[1] for row in json.loads((out / f"{number}.json").read_text())["rows"]} for number in range(3)]

    def text(self, name):
        return (self.out / name).read_text(errors="replace") if (self.out / name).exists() else ""

    def expect_open(self, key):
        first, second, third = self.boot(key)
        log = self.text("log")
        self.assertEqual((first["house-key"], second["house-key"]), ("empty", "sealed"), log[-3000:])
        self.assertEqual((third["house-key"], third["machine"]), ("unsealed", "ready"), log[-3000:])
        self.assertIn("users=separate", log)
        self.assertIsNone(harness.REPORT.search(log), log[-3000:])
        unit = self.text("unit")
        for wanted in ("ActiveState=active", "LimitCORE=0", "NRestarts=0"):
            self.assertIn(wanted, unit)
        self.assertNotIn("sekisho-machine-", self.text("machine.json") + self.text("errors") + log)

    def test_the_machines_tpm_opens_the_vault(self):
        self.expect_open("tpm2")

    def test_the_machines_own_key_opens_the_vault(self):
        self.expect_open("host")


if __name__ == "__main__":
    harness.main()
