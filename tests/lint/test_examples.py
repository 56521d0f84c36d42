#!/usr/bin/env python3
"""deploy/examples/sekisho.conf shows every setting of settings.def with its range and the value that holds.

test_examples.py --write puts it right.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETTING = re.compile(r'^SETTING\((\w+), (\w+), (\w+), (\d+), (\d+), "([^"]*)", "([^"]*)"\)', re.M)


def expected(table):
    lines, section = [], None
    for name, field, kind, least, most, value, text in SETTING.findall(table):
        if name != section:
            lines += ["", f"[{name}]"]
            section = name
        span = f" ({least} to {most})" if kind == "INT" else ""
        lines += [f"# {text}{span}", f"#{field} = {value}"]
    return lines


def main():
    table = (ROOT / "gateway/wire/settings.def").read_text()
    want = expected(table)
    if len(want) < 2 * table.count("\nSETTING("):
        sys.exit("settings.def has lines that this test cannot read")
    example = ROOT / "deploy/examples/sekisho.conf"
    head, have = example.read_text().splitlines()[:2], example.read_text().splitlines()[2:]
    if sys.argv[1:] == ["--write"]:
        example.write_text("\n".join(head + want) + "\n")
        return
    for number, (a, b) in enumerate(zip(want + [None] * len(have), have + [None] * len(want)), 3):
        if a is None and b is None:
            break
        if a != b:
            sys.exit(f"deploy/examples/sekisho.conf:{number}: {b!r}, settings.def says {a!r} (--write puts it right)")


if __name__ == "__main__":
    main()
