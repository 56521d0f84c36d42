#!/usr/bin/env python3
"""Every route of both ports, and every order of the portal, for everybody: who is let through and who is refused. The routes are
read from the gateway's own tables, so a new one fails here until it has a row."""

import re

import client
import harness
import vaults

NOBODY, STAFF, ADMIN, AUDITOR = "nobody", "staff", "admin", "auditor"
USER, MANAGER = "user", "manager"  # staff with a duty with the vault's records
LOGINS = {STAFF, USER, MANAGER, ADMIN, AUDITOR}
PC_USERS = LOGINS - {AUDITOR}
ALL = LOGINS | {NOBODY}
SESSION = "0123456789abcdef" * 2
STREAM = object()

# (method, pattern): who is let through to what it does, and a body that gets so far. Everybody here has a device; what a
# browser without one may ask is nothing at all on the gateway's port (test_edge_tls.py).
GATEWAY = {
    ("GET", "/api/office"): (ALL, None),
    ("POST", "/api/login"): (ALL, {"account": "nobody", "password": "nothing-at-all"}),
    ("POST", "/api/login/totp"): (set(), {"code": "000000"}),  # needs a login that waits for it
    ("GET", "/api/me"): (LOGINS, None),
    ("POST", "/api/unlock"): (LOGINS, {"password": "nothing-at-all"}),
    ("GET", "/api/hosts"): (PC_USERS, None),
    ("POST", "/api/hosts/{host}/wake"): (PC_USERS, {}),
    ("GET", "/api/sessions"): (PC_USERS, None),
    ("POST", "/api/sessions"): (PC_USERS, {"host": 99, "width": 800, "height": 600, "layout": "ja"}),
    ("GET", "/api/sessions/{session}"): (PC_USERS, None),
    ("DELETE", "/api/sessions/{session}"): (PC_USERS, None),
    ("POST", "/api/sessions/{session}/unlock"): (PC_USERS, {"password": "nothing-at-all"}),
    ("GET", "/api/sessions/{session}/stream"): (PC_USERS, STREAM),
    ("GET", "/api/sessions/{session}/stream/{monitor}"): (PC_USERS, STREAM),
    ("POST", "/api/device/renew"): (LOGINS, {"compatible": False}),
    ("GET", "/api/audit/checkpoint"): (LOGINS, None),
    ("GET", "/api/audit/checkpoint/{size}"): (LOGINS, None),
    ("POST", "/api/audit/alarm"): (LOGINS, {"kind": "nothing", "kept": 1, "shown": 1}),
    ("GET", "/api/audit/choices"): ({AUDITOR}, None),
    ("POST", "/api/audit/sessions"): ({AUDITOR}, {}),
    ("POST", "/api/audit/live"): ({AUDITOR}, {}),
    ("POST", "/api/audit/entries"): ({AUDITOR}, {"list": "logins"}),
    ("GET", "/api/audit/sessions/{session}"): ({AUDITOR}, None),
    ("POST", "/api/audit/filters"): ({AUDITOR}, {"name": "夜間", "query": "list=sessions"}),
    ("DELETE", "/api/audit/filters/{filter}"): ({AUDITOR}, None),
    ("POST", "/api/audit/report"): ({AUDITOR}, {"list": "report", "form": "print"}),
    ("GET", "/api/recordings"): ({AUDITOR}, None),
    ("POST", "/api/recordings/{session}/open"): ({AUDITOR}, {"purpose": "月例の点検", "code": "000000"}),
    ("GET", "/api/recordings/{session}/stream"): ({AUDITOR}, STREAM),
    ("GET", "/api/auditors"): ({AUDITOR}, None),
    ("POST", "/api/recordings/{session}/export"): (
        {AUDITOR}, {"purpose": "顧客への提出", "code": "000000", "recipient": "1", "language": "ja"}),
    ("GET", "/api/recordings/{session}/export/stream"): ({AUDITOR}, STREAM),
    ("GET", "/api/recordings/{session}/notes"): ({AUDITOR}, None),
    ("POST", "/api/recordings/{session}/notes"): ({AUDITOR}, {"at": 0, "text": "要確認"}),
    ("POST", "/api/recordings/{session}/notes/withdraw"): ({AUDITOR}, {"note": 1}),
    ("GET", "/api/live"): ({ADMIN, AUDITOR}, None),
    # Without the right to look on both are refused; that and what follows it is in test_live.py.
    ("POST", "/api/live/{session}/watch"): (set(), {"purpose": "操作の確認", "code": "000000"}),
    ("GET", "/api/live/{session}/stream"): (set(), STREAM),
    ("POST", "/api/live/{session}/end"): ({ADMIN}, {"reason": "退勤のため"}),
    ("GET", "/api/admin/{command}"): ({ADMIN}, None),
    ("GET", "/api/admin/{command}/{after}"): ({ADMIN}, None),
    ("POST", "/api/admin/{command}"): ({ADMIN}, {}),
    ("GET", "/api/vault/streams/{session}"): ({STAFF, USER, MANAGER}, STREAM),
    # By operation: test_an_operation_for_everybody.
    ("POST", "/api/vault/{operation}"): (None, {}),
    # Last: it ends the login.
    ("POST", "/api/logout"): (LOGINS, {}),
}

# What is asked of the vault's records, and whose duty that is.
OPERATIONS = {
    **dict.fromkeys((
        "client list", "record list", "record find", "record show", "record change", "record number set", "record versions", "record version",
        "record remove", "record restore", "record history", "purpose list", "class list", "template list", "request add",
        "request submit", "request list", "request show", "request withdraw", "record end", "due list", "certificate show",
        "grant list", "grant set", "document list", "document versions", "document add", "document download", "document preview",
        "document remove", "document restore", "import begin", "import add", "import preview", "import ask", "import list",
        "import rows", "import cancel", "export count", "export make", "export next", "export drop", "work list",
        "people list"), {USER, MANAGER}),
    "record reveal": {USER},
    "glass list": {USER, MANAGER, AUDITOR, ADMIN},
    **dict.fromkeys(("glass ask", "glass confirm"), {MANAGER}),
    "glass end": {USER, MANAGER, AUDITOR},
    **dict.fromkeys((
        "client add", "purpose add", "purpose retire", "class add", "class change", "template set", "request approve",
        "request refuse", "record hold", "dispose approve", "grant person", "group list", "group add", "group rename",
        "group members", "group change", "group drop", "grant copy preview", "grant copy ask", "grant copy list", "grant copy show",
        "grant copy apply", "grant copy drop", "quarantine list", "quarantine discard", "import apply"), {MANAGER}),
}

# Here nobody is logged in: what a code or the device's own certificate does not open is refused for what it is.
ENROLMENT = {
    ("GET", "/enrol/api/office"), ("POST", "/enrol/api/look"), ("POST", "/enrol/api/request"),
    ("POST", "/enrol/api/file"), ("GET", "/.well-known/est/cacerts"), ("GET", "/.well-known/est/csrattrs"),
    ("POST", "/.well-known/est/simpleenroll"), ("POST", "/.well-known/est/simplereenroll"), ("POST", "/ocsp"),
    ("GET", "/ocsp/{question}"), ("GET", "/ca.crt"), ("GET", "/crl.der"), ("GET", "/crl/{issuer}.der"),
}


def routes(table):
    """[(method, pattern)] of a table in edge/api.c."""
    text = (harness.SOURCE / "gateway" / "edge" / "api.c").read_text()
    rows = re.search(rf"struct route {table}\[\] = \{{(.*?)\n\}};", text, re.S).group(1)
    found = re.findall(r'METHOD_(\w+),\s*"([^"]+)"', rows)
    assert len(found) == len(re.findall(r"METHOD_", rows)) > 10
    return found


def orders():
    """[(name, kind)] of the commands that the portal has, from commands.def."""
    text = (harness.SOURCE / "gateway" / "wire" / "commands.def").read_text()
    return re.findall(r'^COMMAND\("([a-z -]+)".*, (LOOK|ORDER)\)$', text, re.M)


def operations():
    """[(words, flags)] of record_ops.def."""
    text = (harness.SOURCE / "gateway" / "wire" / "record_ops.def").read_text()
    rows = re.findall(r'^RECORD_OP\(\d+, \w+,\s+"([a-z ]+)",\s+[A-Z_ |]+,\s+([A-Z_ |0]+),\s+"[a-z-]*"\)', text, re.M)
    assert len(rows) == len(re.findall(r"^RECORD_OP\(", text, re.M)), "a row that this test does not read"
    return [(words, flags.split(" | ")) for words, flags in rows]


class Routes(harness.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway.cli("vault", "init", password=vaults.PASSPHRASE)
        people = {role: cls.gateway.add_user(f"hito-{role}", role="staff" if role in (USER, MANAGER) else role) for role in sorted(LOGINS)}
        cls.gateway.cli("user", "duty", "--name", "hito-user", "--duty", "use")
        cls.gateway.cli("user", "duty", "--name", "hito-manager", "--duty", "manage")
        cls.browsers = {role: person.login() for role, person in people.items()}
        cls.browsers[NOBODY] = cls.gateway.add_user("hito-nobody").client()
        cls.made = {role: browser.cookie for role, browser in cls.browsers.items()}

    def test_every_route_has_a_row(self):
        self.assertEqual(set(routes("api_routes")), set(GATEWAY))
        self.assertEqual(set(routes("api_enrol_routes")), ENROLMENT)
        self.assertEqual({words for words, _ in operations()}, set(OPERATIONS))

    def outcome(self, browser, method, path, body):
        """refused, or through to what it does."""
        if body is STREAM:
            socket = browser.websocket(path)
            socket._agree = lambda data: socket.sock.close()  # it need not be answered
            with self.assertRaises(client.Closed) as caught:
                socket.receive(20)
            # docs/protocol.md §4; 4001 is for other roles too.
            return {4001: "refused", 4000: "through"}[caught.exception.code]
        answer = browser.request(method, path, body)
        error = answer.json.get("error") if answer.status >= 400 else None
        if (answer.status, error) in ((401, "auth"), (403, "denied")):
            return "refused"
        self.assertNotIn(answer.status, (405, 500, 501, 503), answer)
        self.assertFalse(answer.status == 400 and error == "invalid" and answer.json.get("field") == "body", answer)
        return "through"

    def test_every_route_for_everybody(self):
        for (method, pattern), (allowed, body) in GATEWAY.items():
            if allowed is None:
                continue
            path = (pattern.replace("{host}", "99").replace("{session}", SESSION).replace("{monitor}", "1").replace("{filter}", "99")
                    .replace("{size}", "1").replace("{command}/{after}", "device/list/1"))
            path = path.replace("{command}", "device/list" if method == "GET" else "device/withdraw")
            for role, browser in self.browsers.items():
                with self.subTest(f"{method} {pattern} for {role}"):
                    self.assertEqual(self.outcome(browser, method, path, body),
                                     "through" if role in allowed else "refused")
        # Not one of the refused has lost its login by it.
        for role in LOGINS:
            self.assertIsNone(self.browsers[role].cookie)

    # Before the logins end; tests run in the order of their names.
    def test_an_order_for_everybody(self):
        self.assertGreater(len(orders()), 10)
        for name, kind in orders():
            for role, browser in self.browsers.items():
                with self.subTest(f"{name} for {role}"):
                    path = "/api/admin/" + name.replace(" ", "/")
                    got = self.outcome(browser, "GET" if kind == "LOOK" else "POST", path, None if kind == "LOOK" else {})
                    self.assertEqual(got, "through" if role == ADMIN else "refused")

    def test_an_operation_for_everybody(self):
        for words, flags in operations():
            for role, browser in self.browsers.items():
                with self.subTest(f"{words} for {role}"):
                    # Nothing gets so far that the code, which is wrong, is looked at.
                    body = {"code": "000000"} if "OP_CODE" in flags else {}
                    got = self.outcome(browser, "POST", "/api/vault/" + words.replace(" ", "-"), body)
                    self.assertEqual(got, "through" if role in OPERATIONS[words] else "refused")

    def test_the_enrolment_port_has_none_of_them(self):
        for role, browser in self.browsers.items():
            elsewhere = client.Client(self.gateway.enrol_port, client.context(self.gateway.ca))
            elsewhere.cookie = self.made[role]
            for method, pattern in GATEWAY:
                with self.subTest(f"{method} {pattern} for {role}"):
                    path = re.sub(r"\{\w+\}", SESSION, pattern)
                    self.assertEqual(elsewhere.request(method, path, {}).status, 404)


if __name__ == "__main__":
    harness.main()
