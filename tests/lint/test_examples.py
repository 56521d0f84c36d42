#!/usr/bin/env python3
"""deploy/examples/sekisho.conf shows every setting of settings.def in English and Japanese with its range and value.

test_examples.py --write puts it right.
"""
import pathlib
import re
import sys

HEAD = 4  # lines for people, before the settings
LINE_MAX = 198  # bytes that the gateway reads

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETTING = re.compile(r'^SETTING\((\w+), (\w+), (\w+), (\d+), (\d+), "([^"]*)", "([^"]+)",\s+"([^"]+)"\)', re.M)


def expected(table):
    lines, section = [], None
    for name, field, kind, least, most, value, en, ja in SETTING.findall(table):
        if name != section:
            lines += ["", f"[{name}]"]
            section = name
        number = kind == "INT"
        lines += [f"# {en} ({least} to {most})" if number else f"# {en}",
                  f"# {ja}（{least}～{most}）" if number else f"# {ja}", f"#{field} = {value}"]
    return lines


def main():
    table = (ROOT / "gateway/wire/settings.def").read_text()
    want = expected(table)
    if len(SETTING.findall(table)) != table.count("\nSETTING("):
        sys.exit("settings.def has lines that this test cannot read, or lacks a text in English or Japanese")
    example = ROOT / "deploy/examples/sekisho.conf"
    lines = example.read_text().splitlines()
    head, have = lines[:HEAD], lines[HEAD:]
    if sys.argv[1:] == ["--write"]:
        example.write_text("\n".join(head + want) + "\n")
        return
    for number, (a, b) in enumerate(zip(want + [None] * len(have), have + [None] * len(want)), HEAD + 1):
        if a is None and b is None:
            break
        if a != b:
            sys.exit(f"deploy/examples/sekisho.conf:{number}: {b!r}, settings.def says {a!r} (--write puts it right)")
    for number, line in enumerate(lines, 1):
        if len(line.encode()) > LINE_MAX:
            sys.exit(f"deploy/examples/sekisho.conf:{number}: over {LINE_MAX} bytes")


if __name__ == "__main__":
    main()
