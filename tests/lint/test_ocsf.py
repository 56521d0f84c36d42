#!/usr/bin/env python3
"""Each event of the audit log has a row in gateway/siem/events.def and words in the audit console, and each row an activity that its
class has in OCSF 1.3.0."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What the broker names in kebab-case by these first words is an event, unless it is said to the log of the machine.
NAME = re.compile(r'(\blog_\w+\(\s*)?"((?:login|account|host|device|credentials|enrol|auditor|gateway|ca|vault|retention|recording|audit|session|'
                  r'worker|siem|note|control|document|glass)(?:-[a-z]+)+|login|logout|unlock)"')
NO_EVENTS = set()  # names that only look like one
ACTIVITIES = {"FINDING": {1, 2, 3, 99}, "ACCOUNT_CHANGE": {*range(1, 12), 99}, "AUTHENTICATION": {*range(1, 7), 99}, "ENTITY": {*range(1, 5), 99},
              "USER_ACCESS": {1, 2, 99}, "API": {1, 2, 3, 4, 99}}
ROW = re.compile(r'^EVENT\("([a-z-]+)", (\w+), (\d+), "[^"]+", (\w+), (\w+)\)$', re.M)


def events():
    """{event: file}"""
    found = {}
    for path in [*ROOT.glob("gateway/broker/*.c"), *ROOT.glob("auth/*.c"), *ROOT.glob("gateway/audit/*.h")]:
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        for logged, name in NAME.findall(text):
            if not logged and name not in NO_EVENTS:
                found.setdefault(name, path.name)
    text = (ROOT / "gateway/wire/record_ops.def").read_text()
    found.update((event, "record_ops.def") for event in re.findall(r'^RECORD_OP\(.*"([a-z-]+)"\)$', text, re.M))
    return found


def main():
    rows = {m.group(1): m.groups()[1:] for m in ROW.finditer((ROOT / "gateway/siem/events.def").read_text())}
    wrong = [f"{event} ({name}) has no row in gateway/siem/events.def" for event, name in sorted(events().items()) if event not in rows]
    wrong += [f"{event}: {kind} has no activity {activity}" for event, (kind, activity, *_) in rows.items()
              if int(activity) not in ACTIVITIES[kind]]
    words = set(re.findall(r'"([a-z-]+)"', (ROOT / "viewer/portal/audit_names.js").read_text()))
    wrong += [f"{event} ({name}) has no name in viewer/portal/audit_names.js" for event, name in sorted(events().items()) if event not in words]
    for known in ("login", "session-open", "recording-mark", "account-add", "audit-alarm", "session-end", "vault-sealed", "host-grant", "record-reveal"):
        if known not in events():
            wrong.append(f"this test does not see {known} any more")
    print("\n".join(wrong))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
