#!/usr/bin/env python3
"""A gateway and desktops for the browser tests: reads one JSON request a line, answers with one JSON line.

It ends, and stops all it started, when its standard input does. Requests: {"do": name, ...} with the names of the
methods of Office below; answers: {"ok": value} or {"error": text}.
"""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import sqlite3
import ssl
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import client  # noqa: E402
import desktops  # noqa: E402
import harness  # noqa: E402
import sound  # noqa: E402


class Office:
    def __init__(self):
        self.gateway = None
        self.people, self.pcs = {}, {}

    def start(self, **settings):
        """The gateway; answers with its address and the CA's file."""
        self.gateway = harness.Gateway(**settings)
        self.gateway.start()
        return {"port": self.gateway.port, "ca": str(self.gateway.ca), "dir": str(self.gateway.dir)}

    def user(self, name, device="laptop", role="staff"):
        """An account with a device; answers with its password and the files of the certificate."""
        person = self.people[name] = self.gateway.add_user(name, role=role, device=device)
        cert, key = person.devices[device]
        return {"name": name, "password": person.password, "cert": str(cert), "key": str(key)}

    def vault(self, order="init"):
        """Makes the house key, or seals and unseals it, so that recordings can be opened."""
        self.gateway.cli("vault", order, password=None if order == "seal" else "iwato-no-kagi-58-suzu")

    def code(self, name):
        """A code that has not been used yet."""
        return self.people[name].totp.code()

    def fresh_code(self, name):
        """One that counts as unused, without ending the login as a fresh secret does."""
        self.database("UPDATE account SET totp_last = 0, failures = 0, next_try_ms = 0 WHERE name = ?", (name,))
        self.database("UPDATE device SET failures = 0, next_try_ms = 0")
        return self.people[name].totp.at(int(time.time()) // 30)

    def new_totp(self, name):
        """A fresh secret, so that a second login needs not wait for the next 30 seconds."""
        self.people[name].new_totp()

    def pc(self, name, kind, user, size=(1280, 800)):
        """Starts a PC of a kind (bare, office, x11vnc, xrdp, shadow, film, sound) and gives it to a user; its number."""
        folder = self.gateway.dir / name
        made = {"bare": lambda: desktops.BareVnc(folder, size=tuple(size)), "office": lambda: desktops.VncDesktop(folder),
                "x11vnc": lambda: desktops.X11vnc(folder), "xrdp": lambda: desktops.Xrdp(folder),
                "shadow": lambda: desktops.Shadow(folder, size=tuple(size)),
                "film": lambda: desktops.Shadow(folder, size=tuple(size), lossy=True),
                "sound": lambda: sound.Peer(self.gateway.dir)}
        pc = self.pcs[name] = made[kind]()
        security = {"bare": "none", "xrdp": "tls", "shadow": "nla", "film": "nla", "sound": "tls"}.get(kind, "vnc-password")
        protocol = "rdp" if kind in ("xrdp", "shadow", "film", "sound") else "vnc"
        more = {"sound": {"audio": "yes"}, "film": {"video": "yes"}}.get(kind, {})
        return self.gateway.add_host(name, protocol, pc.port, user=user, password=getattr(pc, "password", None),
                                     pc_user=getattr(pc, "user", None), security=security, **more)

    def play(self, name, milliseconds, hertz):
        """A PC of the kind sound plays a tone, which begins before this returns."""
        pc = self.pcs[name]
        if not pc.taken:
            assert pc.open("static") == "opened"
            pc.agree(sound.audio_format())
        pc.play(milliseconds, hertz)

    def pc_login(self, name):
        """What a PC wants to know at its log-on."""
        return {"user": self.pcs[name].user, "password": self.pcs[name].password}

    def terminal(self, name, command):
        """A terminal in the corner of a PC's screen, with the focus because nothing else is there."""
        x = self.x(name)
        process = x.start("xterm", "-u8", "-fa", "Noto Sans Mono CJK JP", "-fs", "12", "-geometry", "90x25+0+0",
                          "-e", "bash", "--norc", "-c", command)
        harness.until("the terminal", lambda: x.has_window("xterm"))
        self.pcs[f"terminal {process.pid}"] = process

    def laptop(self):
        """A screen for a browser with a window; its display."""
        laptop = self.pcs["laptop"] = desktops.Laptop(self.gateway.dir / "laptop")
        return laptop.x.env["DISPLAY"]

    def watch_keys(self, name):
        """From now on a window over a PC's whole screen notes every key."""
        x = self.x(name)
        width, height = x.size()
        process = x.start("stdbuf", "-oL", "xev", "-event", "keyboard", "-geometry", f"{width}x{height}+0+0",
                          log=self.gateway.dir / f"{name}.keys")
        self.pcs[f"keys {process.pid}"] = process
        harness.until("the window", lambda: b"Event Tester" in x.run("xwininfo", "-root", "-tree"))

    def keys(self, name):
        """[down, keysym] of every key since then; a letter is small whatever Shift does, as its key is one."""
        text = (self.gateway.dir / f"{name}.keys").read_text(errors="replace")
        return [[kind == "Press", keysym.lower() if len(keysym) == 1 else keysym] for kind, keysym in
                re.findall(r"^Key(Press|Release) event,.*\n.*\n.*\(keysym 0x[0-9a-f]+, (\w+)\)", text, re.M)]

    def japanese_terminal(self, name, command):
        """A terminal with a Japanese input method on a PC with a window manager; it gets the focus."""
        x = self.x(name)
        process, env = desktops.with_input_method(x, self.gateway.dir / f"{name}-input-method")
        self.pcs[f"input method {process.pid}"] = process
        terminal = x.start("xterm", "-u8", "-fa", "Noto Sans Mono CJK JP", "-fs", "12", "-T", "japanese", "-e", "sh", "-c",
                           command, **env)
        self.pcs[f"terminal {terminal.pid}"] = terminal
        x.run("xdotool", "search", "--sync", "--onlyvisible", "--name", "^japanese$", "windowactivate", "--sync")

    def x(self, name):
        x = self.pcs[name].x
        return x() if callable(x) else x

    def picture(self, name):
        """The PC's screen as a file of R, G, B bytes."""
        picture = self.x(name).picture()
        path = self.gateway.dir / f"{name}.rgb"
        path.write_bytes(picture.rgb)
        return {"width": picture.width, "height": picture.height, "file": str(path)}

    def size(self, name):
        return list(self.x(name).size())

    def run(self, name, command):
        """A program on the PC's display; its output."""
        return self.x(name).run(*command).decode()

    def begin(self, name, command):
        """A program on the PC's display that goes on; what end takes."""
        process = self.x(name).start(*command)
        self.pcs[f"program {process.pid}"] = process
        return process.pid

    def end(self, program):
        self.pcs.pop(f"program {program}").stop()

    def pid(self, role):
        return self.gateway.pid(role)

    def kill(self, role):
        """Kills a process of the gateway with SIGKILL, so that nothing can say goodbye."""
        os.kill(self.gateway.pid(role), signal.SIGKILL)

    def cli(self, arguments, password=None):
        return self.gateway.cli(*arguments, password=password)

    def device_request(self, code, place="store"):
        """A device asks with a code, again with the same key when it asked before; also its key's fingerprint."""
        key, csr = (self.gateway.dir / f"asked-{code}.{kind}" for kind in ("key", "csr"))
        if not csr.exists():
            harness.run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-subj", "/CN=x", "-out", csr)
        browser = client.Client(self.gateway.enrol_port, client.context(self.gateway.ca), source="127.0.4.4")
        answer = browser.post("/enrol/api/request", {"code": code, "csr": csr.read_text(), "key_place": place})
        spki = harness.run("openssl", "pkey", "-in", key, "-pubout", "-outform", "DER")
        return {"status": answer.status, **answer.json, "fingerprint": hashlib.sha256(spki).hexdigest()}

    def device_number(self, name, device):
        return self.people[name].device_number(device)

    def unpack(self, name, file, password):
        """The certificate and key of a PKCS#12 in base64, as files; and when it ends."""
        p12, cert, key = (self.gateway.dir / f"{name}.{kind}" for kind in ("p12", "crt", "key"))
        p12.write_bytes(base64.b64decode(file))
        for out, what in ((cert, ["-clcerts", "-nokeys"]), (key, ["-nocerts", "-noenc"])):
            harness.run("openssl", "pkcs12", "-in", p12, "-passin", "stdin", *what, "-out", out, input=password.encode())
        return {"cert": str(cert), "key": str(key),
                "until": ssl.cert_time_to_seconds(harness.run("openssl", "x509", "-in", cert, "-noout", "-enddate").decode()
                                                  .strip().partition("=")[2])}

    def database(self, statement, values=()):
        """A change in the broker's database that no order of an administrator makes."""
        with contextlib.closing(sqlite3.connect(next(self.gateway.dir.glob("state/broker/*.db")), timeout=10)) as db, db:
            db.execute(statement, values)

    def skip_reason(self, kind):
        """Why a kind of PC (japanese: with its own input method) cannot run here, or None."""
        try:
            if kind in ("xrdp", "japanese xrdp"):
                harness.need_root()
            if kind == "japanese xrdp":
                harness.need("uim-xim", "localedef")
        except Exception as error:  # unittest.SkipTest
            return str(error)
        return None

    def account(self, name):
        """An account without a device; answers with its password."""
        person = self.people[name] = self.gateway.add_user(name, device=None)
        return {"name": name, "password": person.password}

    def expire_invitation(self, id):
        """As if its time were over."""
        with sqlite3.connect(self.gateway.dir / "state" / "broker" / "sekisho.db", timeout=10) as db:
            assert db.execute("UPDATE invite SET expires = unixepoch() - 1 WHERE id = ?", (id,)).rowcount == 1
        db.close()

    def signal(self, role, name):
        """Sends a signal, such as SIGSTOP, to a process of the gateway."""
        os.kill(self.gateway.pid(role), getattr(signal, name))

    def log(self):
        return self.gateway.log()

    def stop(self):
        """Stops all; answers with what went wrong."""
        for pc in reversed(self.pcs.values()):
            pc.stop()
        if not self.gateway:
            return []
        wrong = [] if self.gateway.stop() else ["the gateway did not stop by itself, or left processes behind"]
        wrong += self.gateway.reports()
        self.gateway.remove()
        self.gateway = None
        return wrong


def main():
    office = Office()
    try:
        for line in sys.stdin:
            request = json.loads(line)
            try:
                answer = {"ok": getattr(office, request.pop("do"))(**request)}
            except Exception:
                answer = {"error": traceback.format_exc()}
            print(json.dumps(answer), flush=True)
    finally:
        if office.gateway:
            office.stop()


if __name__ == "__main__":
    main()
