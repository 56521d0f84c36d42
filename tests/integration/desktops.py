"""Office PCs for the tests: real servers on free ports, and servers that misbehave."""

import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import threading

import harness

OFFICE = harness.SOURCE / "deploy" / "office"
PC_PASSWORD = pathlib.Path("/var/lib/sekisho-demo/pc-password")


def office(folder):
    """deploy/office where the account of the PCs can read it, and that account."""
    if harness.ROOT:
        harness.make_users("pc")
    target = pathlib.Path(folder) / "office"
    if not target.exists():
        shutil.copytree(OFFICE, target)
    return target


class Picture:
    """Pixels of a screen: width, height and R, G, B bytes, row by row."""

    def __init__(self, width, height, rgb):
        self.width, self.height, self.rgb = width, height, rgb

    def __eq__(self, other):
        return (self.width, self.height, self.rgb) == (other.width, other.height, other.rgb)

    def difference(self, other):
        """A sentence on what differs, for the failure's message."""
        if (self.width, self.height) != (other.width, other.height):
            return f"{self.width}x{self.height} against {other.width}x{other.height}"
        line = self.width * 3
        rows = [y for y in range(self.height)
                if self.rgb[y * line:y * line + line] != other.rgb[y * line:y * line + line]]
        return f"{len(rows)} rows differ, first {rows[:1]}"


class X:
    """An X display that a test may look at and ask things of."""

    def __init__(self, number, authority=None):
        self.env = harness.environment(DISPLAY=f":{number}")
        if authority:
            self.env["XAUTHORITY"] = str(authority)

    def run(self, *command, **kw):
        return subprocess.run([str(c) for c in command], env=self.env, check=True, capture_output=True,
                              timeout=30 * harness.PATIENCE, **kw).stdout

    def picture(self):
        """Of the root window as it is now, without the pointer."""
        raw = self.run("import", "-silent", "-window", "root", "-depth", "8", "ppm:-")
        magic, size, most, rgb = raw.split(b"\n", 3)
        assert magic == b"P6" and most == b"255", raw[:40]
        return Picture(*map(int, size.split()), rgb)

    def size(self):
        words = self.run("xdotool", "getdisplaygeometry").split()
        return int(words[0]), int(words[1])

    def has_window(self, kind):
        """Whether a program's window is on the screen."""
        return subprocess.run(["xdotool", "search", "--onlyvisible", "--class", kind], env=self.env,
                              timeout=30 * harness.PATIENCE, capture_output=True).returncode == 0

    def start(self, *command, log=os.devnull, **env):
        return harness.Process(command, log, env={**self.env, **env})


class Xvfb(X):
    """A bare X server on a free display, for x11vnc and freerdp-shadow."""

    def __init__(self, folder, size=(1280, 800)):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        # A server that ends just now may take the socket of the one that found its number free with it.
        for left in reversed(range(5)):
            self._start(folder, size)
            try:
                self.size()
                return
            except subprocess.CalledProcessError:
                self.stop()
                if not left:
                    raise

    def _start(self, folder, size):
        reader, writer = os.pipe()
        self.process = harness.Process(["Xvfb", "-displayfd", writer, "-screen", 0, f"{size[0]}x{size[1]}x24",
                                        "-nolisten", "tcp", "-noreset"], folder / "xvfb.log", pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader) as numbers:
            super().__init__(int(numbers.readline()))

    def stop(self):
        self.process.stop()


class Laptop:
    """A screen for the person's own browser, with a window manager that keeps no key for itself."""

    def __init__(self, folder, size=(1280, 900)):
        harness.need("Xvfb", "openbox", "xdotool")
        folder = pathlib.Path(folder)
        self.x = Xvfb(folder, size)
        (folder / "rc.xml").write_text('<openbox_config xmlns="http://openbox.org/3.4/rc">'
                                       "<focus><focusNew>yes</focusNew></focus></openbox_config>")
        self.manager = self.x.start("openbox", "--config-file", folder / "rc.xml", log=folder / "openbox.log")

    def stop(self):
        self.manager.stop()
        self.x.stop()


def with_input_method(x, folder):
    """Starts a Japanese input method on an X display: its process, and the environment for programs that use it."""
    harness.need("uim-xim", "localedef")
    folder = pathlib.Path(folder)
    folder.mkdir()
    harness.run("localedef", "-i", "ja_JP", "-f", "UTF-8", folder / "ja_JP.UTF-8")
    env = {"LANG": "ja_JP.UTF-8", "LOCPATH": str(folder), "HOME": str(folder), "XMODIFIERS": "@im=uim"}
    process = x.start("uim-xim", "--engine=anthy-utf8", log=folder / "uim.log", **env)
    harness.until("the input method", lambda: b"@server=uim" in x.run("xprop", "-root", "XIM_SERVERS"))
    return process, env


class Server:
    """A process that listens on a port."""

    def __init__(self, arguments, folder, log, port, **kw):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, port
        self.process = harness.Process(arguments, folder / log, **kw)
        harness.until(f"{arguments[0]} on port {port}", self._listening, 40)

    def _listening(self):
        if self.process.child.poll() is not None:
            raise AssertionError(f"{self.process.name} ended:\n{self.process.log.read_text(errors='replace')}")
        for family in ("tcp", "tcp6"):
            with open(f"/proc/net/{family}") as table:
                if any(row.split()[3] == "0A" and row.split()[1].endswith(f":{self.port:04X}")
                       for row in list(table)[1:]):
                    return True
        return False

    def stop(self):
        self.process.stop()

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.child.wait()


class VncDesktop(Server):
    """TigerVNC with a window manager and programs, as deploy/demo starts it."""

    def __init__(self, folder):
        harness.need("Xtigervnc", "openbox", "xauth", "dbus-run-session")
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        self.password = secrets.token_hex(4)
        (folder / "vnc-password").write_text(self.password)
        port = harness.free_port()
        super().__init__([office(folder) / "vnc-desktop", folder, port, "VNC"], folder, "vnc.log", port)
        number = harness.until("the display", lambda: self._number(folder), 30)
        self.x = X(number, folder / "xauthority")

    @staticmethod
    def _number(folder):
        path = folder / "display"
        return path.exists() and path.read_text().strip()


class BareVnc(Server):
    """TigerVNC with nothing on it but what a test starts."""

    def __init__(self, folder, *options, size=(1280, 800), security="None"):
        harness.need("Xtigervnc")
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        port = harness.free_port()
        reader, writer = os.pipe()
        command = ["Xtigervnc", "-displayfd", writer, "-localhost", "-rfbport", port, "-SecurityTypes", security,
                   "-geometry", f"{size[0]}x{size[1]}", "-depth", 24, "-AlwaysShared", "-nolisten", "tcp", *options]
        super().__init__(command, folder, "vnc.log", port, pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader) as numbers:
            self.x = X(int(numbers.readline()))


class X11vnc(Server):
    """x11vnc on an Xvfb: the other common VNC server (LibVNCServer)."""

    def __init__(self, folder):
        harness.need("x11vnc", "Xvfb")
        folder = pathlib.Path(folder)
        self.x = Xvfb(folder)
        self.password = secrets.token_hex(4)
        (folder / "password").write_text(self.password + "\n")
        port = harness.free_port()
        super().__init__(["x11vnc", "-display", self.x.env["DISPLAY"], "-rfbport", port, "-localhost", "-forever",
                          "-shared", "-noxdamage", "-nocursor", "-passwdfile", folder / "password", "-no6"],
                         folder, "x11vnc.log", port, env=self.x.env)

    def stop(self):
        super().stop()
        self.x.stop()


class Xrdp(Server):
    """xrdp with xorgxrdp, as deploy/demo starts it; people log in as sekisho-pc."""

    user = "sekisho-pc"

    def __init__(self, folder):
        harness.need_root()
        harness.need("xrdp", "xrdp-sesman", "openbox", "dbus-run-session")
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        script = office(folder)
        self.password = PC_PASSWORD.read_text().strip()
        port = harness.free_port()
        super().__init__([script / "rdp-desktop", folder, port, "RDP"], folder, "rdp.log", port)

    def x(self):
        """The X server of the session that somebody has opened."""
        number = re.findall(r"display (\d+)", (self.folder / "xrdp.log").read_text())[-1]
        return X(number, "/var/lib/sekisho-pc/.Xauthority")


class Shadow(Server):
    """freerdp-shadow with NLA (NTLM) on an Xvfb; only lossless codecs unless lossy."""

    user = "pcuser"

    def __init__(self, folder, lossy=False, security="nla", size=(1280, 800), port=None, codecs=("-gfx", "-rfx", "-nsc")):
        harness.need("freerdp-shadow-cli3", "Xvfb")
        folder = pathlib.Path(folder)
        self.x = Xvfb(folder, size)
        self.password = "nla-" + secrets.token_hex(6)
        self.sam = folder / "sam"
        # A line of a SAM file: the NT hash is MD4 of the password in UTF-16 (MS-NLMP 3.3.1).
        digest = subprocess.run(["openssl", "dgst", "-provider", "legacy", "-provider", "default", "-md4", "-r"],
                                input=self.password.encode("utf-16-le"), capture_output=True, check=True).stdout
        self.sam.write_text(f"{self.user}:::{digest.split()[0].decode()}:::\n")
        port = port or harness.free_port()
        codecs = [] if lossy else codecs
        super().__init__(["freerdp-shadow-cli3", f"/port:{port}", "/bind-address:127.0.0.1", f"/sam-file:{self.sam}",
                          f"/sec:{security}", *codecs], folder, "shadow.log", port,
                         env={**self.x.env, "HOME": str(folder)})

    def stop(self):
        super().stop()
        self.x.stop()


class Gnome(Server):
    """GNOME Remote Desktop's RDP server on a GNOME desktop (its window manager Mutter) under X11."""

    user = "pcuser"
    DAEMON = pathlib.Path("/usr/libexec/gnome-remote-desktop-daemon")

    @classmethod
    def need(cls):
        if not all(map(shutil.which, ("mutter", "pipewire", "wireplumber", "grdctl", "dbus-daemon", "Xvfb", cls.DAEMON))):
            harness.skip("needs mutter, pipewire, wireplumber and gnome-remote-desktop, which deploy/deps does not install")
        # From 46 on it looks for the key itself, in the keyboard layout alone.
        if int(re.search(rb"(\d+)\.", harness.run(cls.DAEMON, "--version")).group(1)) >= 46:
            harness.skip("GNOME Remote Desktop 46 and later take only characters of the keyboard layout")

    def __init__(self, folder, size=(1024, 768)):
        folder = pathlib.Path(folder)
        run = folder / "run"
        run.mkdir(parents=True, mode=0o700)
        self.x = Xvfb(folder, size)
        self.parts = [self.x]
        self.x.env.update(HOME=str(folder), XDG_RUNTIME_DIR=str(run), GSETTINGS_BACKEND="keyfile", LANG="C.UTF-8",
                          DBUS_SESSION_BUS_ADDRESS=f"unix:path={run / 'bus'}")
        self._start_desktop(folder, run)
        self._set_up(folder)
        port = harness.free_port()
        super().__init__([self.DAEMON, "--headless", "--rdp-port", port], folder, "gnome.log", port, env=self.x.env)

    def _start(self, folder, *command):
        process = self.x.start(*command, log=folder / f"{command[0]}.log")
        self.parts.append(process)
        return process

    def _start_desktop(self, folder, run):
        self._start(folder, "dbus-daemon", "--session", "--nofork", f"--address=unix:path={run / 'bus'}")
        self._start(folder, "pipewire")
        harness.until("the sockets", lambda: (run / "bus").exists() and (run / "pipewire-0").exists())
        self._start(folder, "wireplumber", "-c", "policy.conf")
        self.manager = self._start(folder, "mutter", "--x11", "--sm-disable")

    def _set_up(self, folder):
        self.password = secrets.token_hex(8)
        key, cert = folder / "key.pem", folder / "cert.pem"
        harness.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=gnome", "-keyout", key,
                    "-out", cert)
        for words in (["set-tls-key", key], ["set-tls-cert", cert], ["set-credentials", self.user, self.password],
                      ["disable-view-only"], ["enable"]):
            self.x.run("grdctl", "--headless", "rdp", *words)

    def stop(self):
        super().stop()
        for part in reversed(self.parts):
            part.stop()


class BadPc:
    """A PC that takes the connection and then does what `behave` does with the socket."""

    def __init__(self, behave):
        self.behave = behave
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(peer)
            threading.Thread(target=self._one, args=(peer,), daemon=True).start()

    def _one(self, peer):
        try:
            self.behave(peer)
        except OSError:
            pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # also ends the accept() that waits in the other thread
        self.listener.close()
        for peer in self.open:
            peer.close()


def hang(peer):
    """Never answers."""
    while peer.recv(4096):
        pass


def rubbish(peer):
    """Answers with noise."""
    peer.sendall(os.urandom(4096))
    peer.shutdown(socket.SHUT_WR)


def hang_up(peer):
    """Closes at once."""
    peer.close()
