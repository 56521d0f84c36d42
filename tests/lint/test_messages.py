#!/usr/bin/env python3
"""Every error message of an administrator's order has its Japanese text in gateway/broker/admin_messages.def, and none is left over."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
STRING = r'"(?:[^"\\]|\\.)*"'


def joined(text):
    """The value of string literals that stand side by side."""
    return "".join(part[1:-1] for part in re.findall(STRING, text))


def said():
    """message -> file, from admin_wrong(call, err, field, message) and from the checks that return a message."""
    found = {}
    for path in sorted((ROOT / "gateway" / "broker").glob("*.c")):
        text = path.read_text()
        for call in re.finditer(rf'\badmin_wrong\(\s*call,\s*\w+,\s*(?:{STRING}|\w+),\s*((?:{STRING}\s*)+)\)', text):
            found[joined(call[1])] = path.name
        if path.name == "admin_call.c":
            for check in re.finditer(r'"((?:must|is) [^"%]+)"', text):
                found[check[1]] = path.name
    return found


def main():
    table = (ROOT / "gateway" / "broker" / "admin_messages.def").read_text()
    known = [joined(row[1]) for row in re.finditer(rf'^MESSAGE\(((?:{STRING}\s*)+),', table, re.M)]
    messages = said()
    wrong = [f"{where}: no Japanese for \"{text}\"" for text, where in messages.items() if text not in known]
    wrong += [f"admin_messages.def: nobody says \"{text}\"" for text in known if text not in messages]
    wrong += [f"admin_messages.def: twice \"{text}\"" for text in known if known.count(text) > 1]
    if len(messages) < 30:
        wrong.append(f"only {len(messages)} messages found in gateway/broker: has admin_wrong changed?")
    print("\n".join(wrong) or f"{len(messages)} messages")
    return bool(wrong)


sys.exit(main())
