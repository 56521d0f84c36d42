#!/usr/bin/env python3
"""The shell scripts pass shellcheck."""
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def scripts():
    files = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], capture_output=True,
                           text=True, check=True).stdout.splitlines()
    for name in files:
        path = ROOT / name
        if path.is_file() and path.open("rb").readline().startswith((b"#!/usr/bin/env bash", b"#!/bin/bash", b"#!/bin/sh")):
            yield name


def main():
    if not shutil.which("shellcheck"):
        print("skipped: shellcheck is not installed (deploy/deps test)")
        sys.exit(77)
    found = list(scripts())
    assert "deploy/demo" in found, found
    # SC1091: files that exist only at run time. SC2016: programs and formats in single quotes are meant so.
    sys.exit(subprocess.run(["shellcheck", "-x", "-e", "SC1091,SC2016", *found], cwd=ROOT).returncode)


if __name__ == "__main__":
    main()
