#!/usr/bin/env python3
"""Who may include whom (docs/architecture.md), and functions that nobody may call."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# folder -> folders whose headers it may include, besides itself. The longest prefix counts.
ALLOWED = {
    "gateway/base": set(),
    "gateway/wire": {"gateway/base"},
    "gateway/record": {"gateway/base"},
    "gateway/monitor": {"gateway/base", "gateway/wire"},
    "gateway/store": {"gateway/base"},
    "gateway/store/vault": {"gateway/base", "gateway/store"},
    "gateway/audit/tlog": {"gateway/base"},
    "gateway/audit": {"gateway/base", "gateway/store", "gateway/audit/tlog"},
    "auth": {"gateway/base", "gateway/store"},
    "certs": {"gateway/base", "gateway/wire", "gateway/audit/tlog"},
    "gateway/broker": {"gateway/base", "gateway/wire", "gateway/record/recipient.h", "gateway/store", "gateway/audit", "gateway/audit/tlog",
                       "auth", "certs/cleanup.h",
                       "certs/crl.h", "certs/csr.h", "certs/est.h", "certs/identity.h", "certs/pkcs12.h",
                       "certs/x509_build.h"},
    "gateway/vault": {"gateway/base", "gateway/wire", "gateway/record", "gateway/store/db.h", "gateway/store/vault", "certs/cleanup.h", "certs/csr.h",
                      "certs/key_file.h", "certs/pkcs11.h", "certs/signer_start.h"},
    "gateway/text": {"gateway/base"},
    "gateway/preview": {"gateway/base", "gateway/wire", "gateway/text"},
    "gateway/export": {"gateway/base", "gateway/wire", "gateway/record", "gateway/text"},
    "gateway/siem": {"gateway/base", "gateway/wire"},
    "gateway/edge": {"gateway/base", "gateway/wire", "certs/identity.h"},
    "gateway/worker": {"gateway/base", "gateway/wire", "gateway/worker/display", "gateway/worker/encode",
                       "gateway/worker/stream", "gateway/worker/audio", "gateway/worker/remote",
                       "gateway/worker/remote/rdp/rdp_library.h", "gateway/worker/record"},
    "gateway/worker/audio": {"gateway/base"},
    "gateway/worker/display": {"gateway/base"},
    "gateway/worker/encode": {"gateway/base", "gateway/worker/display"},
    "gateway/worker/stream": {"gateway/base", "gateway/wire", "gateway/worker/display", "gateway/worker/encode"},
    "gateway/worker/record": {"gateway/base", "gateway/wire", "gateway/record", "gateway/worker/display",
                              "gateway/worker/encode"},
    "gateway/worker/remote": {"gateway/base", "gateway/wire", "gateway/worker/display/surface.h"},
    "gateway/worker/remote/rdp": {"gateway/base", "gateway/wire", "gateway/worker/remote"},
    "gateway/worker/remote/vnc": {"gateway/base", "gateway/wire", "gateway/worker/remote"},
    "gateway/worker/probe": {"gateway/base", "gateway/wire"},
    "gateway/cli": {"gateway/base", "gateway/wire", "certs", "gateway/record", "gateway/store", "gateway/audit",
                    "gateway/audit/tlog", "gateway/preview/libreoffice.h"},
}

# function -> what to use instead
BANNED = {
    "strcpy": "snprintf or memcpy", "strcat": "snprintf or buf_printf", "sprintf": "snprintf",
    "vsprintf": "vsnprintf", "gets": "fgets", "strtok": "strcspn", "atoi": "util_parse_i64",
    "atol": "util_parse_i64", "strtol": "util_parse_i64", "rand": "util_random", "random": "util_random",
    "system": "posix_spawn", "popen": "posix_spawn", "alloca": "malloc", "tmpnam": "mkstemp",
    "mktemp": "mkstemp", "scanf": "fgets", "strncpy": "snprintf",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)


def folder_of(path):
    """The entry of ALLOWED that a source file belongs to."""
    name = str(path.relative_to(ROOT).parent)
    while name not in ALLOWED:
        if "/" not in name:
            return None
        name = name.rsplit("/", 1)[0]
    return name


def header(source, name):
    """The file that an include means, or None for one of the system's."""
    for place in (ROOT / "gateway", ROOT, source.parent):
        if (place / name).exists():
            return (place / name).resolve()
    return None


def check_includes(path, text):
    home = folder_of(path)
    if home is None:
        return [f"{path.relative_to(ROOT)}: its folder is not in the table of {pathlib.Path(__file__).name}"]
    found = []
    for name in INCLUDE.findall(text):
        target = header(path, name)
        if target is None:
            continue
        other = folder_of(target)
        relative = str(target.relative_to(ROOT))
        if other != home and other not in ALLOWED[home] and relative not in ALLOWED[home]:
            found.append(f"{path.relative_to(ROOT)}: {home} may not include {relative}")
    return found


def check_banned(path, text):
    code = COMMENT.sub(" ", text)
    return [f"{path.relative_to(ROOT)}: {name}() is banned: use {instead}"
            for name, instead in BANNED.items() if re.search(rf"(?<![\w.>]){name}\s*\(", code)]


def main():
    found, count = [], 0
    for top in ("gateway", "auth", "certs"):
        for path in sorted((ROOT / top).rglob("*.[ch]")):
            text = path.read_text(encoding="utf-8")
            found += check_includes(path, text) + check_banned(path, text)
            count += 1
    print("\n".join(found) or f"{count} files obey")
    return 1 if found or not count else 0


if __name__ == "__main__":
    sys.exit(main())
