#!/usr/bin/env python3
"""The RDP client by itself, without a gateway around it, against real hosts and broken ones."""

import hashlib
import pathlib
import queue
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import desktops
import harness

TOOL = harness.BUILD / "tests" / "tool-rdp"
AUTO, NLA, TLS, VNC = 0, 1, 2, 3
JAPANESE, US = 0x411, 0x409


class Client:
    """A tool-rdp process: lines go in, lines come out."""

    def __init__(self, port, user, password, trust="trust", security=AUTO, size=(1024, 768), layout=US, seconds=10,
                 address="127.0.0.1", domain="", folder=None, wrap=(), audio=False, video=None, **env):
        self.log = tempfile.NamedTemporaryFile(dir=folder, prefix="tool-", suffix=".log", delete=False)
        self.child = subprocess.Popen(
            [*wrap, str(TOOL), address, str(port), str(security), user, password, domain, *map(str, size), hex(layout),
             str(seconds), trust, *(["audio"] if audio else [video] if video else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1,
            env=harness.environment(**env))
        self.lines, self.seen = queue.Queue(), []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def expect(self, *starts, seconds=30):
        """The next line that begins with one of starts."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no {starts} after {self.seen[-10:]}\n{self.text()[-3000:]}")
            self.seen.append(line)
            if line.startswith(starts):
                return line

    def send(self, line):
        self.child.stdin.write(line + "\n")

    def settle(self, quiet_ms=400, most_ms=8000):
        self.send(f"settle {quiet_ms} {most_ms}")
        return self.expect("settled", seconds=most_ms / 1000 + 10)

    def key(self, *scancodes):
        for code in scancodes:
            self.send(f"key 0 {code} 1")
            self.send(f"key 0 {code} 0")

    def picture(self):
        with tempfile.NamedTemporaryFile() as file:
            self.send(f"dump {file.name}")
            _, width, height = self.expect("dumped").split()
            bgrx = pathlib.Path(file.name).read_bytes()
        rgb = bytearray(len(bgrx) // 4 * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = bgrx[2::4], bgrx[1::4], bgrx[0::4]
        return desktops.Picture(int(width), int(height), bytes(rgb))

    def text(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def wait(self, seconds=30):
        return self.child.wait(seconds)

    def quit(self):
        """Ends it; the sanitizers' exit code would show."""
        if self.child.poll() is None:
            self.send("quit")
        return self.wait()


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-rdp-"))
        cls.folder.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)

    def client(self, port, user, password, **more):
        client = Client(port, user, password, folder=self.folder, **more)
        self.addCleanup(self.finish, client)
        return client

    def finish(self, client):
        if client.child.poll() is None:
            client.child.send_signal(signal.SIGKILL)
            client.wait()
        client.child.stdin.close()
        client.reader.join()
        client.child.stdout.close()
        client.log.close()
        self.assertIsNone(harness.REPORT.search(client.text()), client.text()[-4000:])

    def connected(self, pc, **more):
        client = self.client(pc.port, pc.user, pc.password, **more)
        client.expect("connected")
        return client

    def failed(self, reason, port, user="u", password="p", within=None, **more):
        client = self.client(port, user, password, **more)
        line = client.expect("failed", "connected")
        self.assertTrue(line.startswith(f"failed {reason} "), line + client.text()[-3000:])
        if within:
            self.assertLess(int(line.split()[3]), within * 1000)
        self.assertEqual(client.wait(), 2, client.text()[-3000:])
        return client

    def until_equal(self, client, x, seconds=20):
        def compare():
            client.settle(200, 2000)
            self.ours, self.theirs = client.picture(), x.picture()
            return self.ours == self.theirs
        try:
            harness.until("the pictures to be equal", compare, seconds)
        except AssertionError:
            self.fail(self.ours.difference(self.theirs))


class Shadow(Case):
    """freerdp-shadow asks for NLA: NTLM with MD4 and RC4."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # the graphics channel with its lossless codec
        codecs = ("-gfx-progressive", "-gfx-rfx", "-gfx-avc420", "-gfx-avc444")
        cls.pc = desktops.Shadow(cls.folder / "shadow", size=(1024, 768), codecs=codecs)
        cls.addClassCleanup(cls.pc.stop)
        certificate = next((cls.folder / "shadow").rglob("*.crt"))
        der = harness.run("openssl", "x509", "-in", certificate, "-outform", "DER")
        cls.fingerprint = hashlib.sha256(der).hexdigest()

    def test_trust_is_asked_with_the_fingerprint(self):
        client = self.connected(self.pc, security=NLA)
        self.assertIn(f"trust {self.fingerprint}", client.seen)
        self.assertEqual(client.quit(), 0)

    def test_pinned(self):
        client = self.connected(self.pc, trust=self.fingerprint)
        self.assertFalse([line for line in client.seen if line.startswith("trust")])
        self.assertEqual(client.quit(), 0)

    def test_changed_pin(self):
        wrong = self.fingerprint[:-1] + ("0" if self.fingerprint[-1] != "0" else "1")
        client = self.failed("pc-certificate", self.pc.port, self.pc.user, self.pc.password, trust=wrong)
        self.assertFalse([line for line in client.seen if line.startswith("trust")])

    def test_not_trusted(self):
        self.failed("pc-certificate", self.pc.port, self.pc.user, self.pc.password, trust="refuse")

    def test_wrong_password(self):
        client = self.failed("pc-login", self.pc.port, self.pc.user, "canary-Wrong7pw", security=NLA)
        self.assertNotIn("canary-Wrong7pw", client.text())

    def test_no_password(self):
        self.failed("pc-login", self.pc.port, "", "", security=NLA)

    def test_tls_where_nla_is_demanded(self):
        self.failed("pc-security", self.pc.port, self.pc.user, self.pc.password, security=TLS)

    def test_domain_before_the_user(self):
        client = self.client(self.pc.port, "OFFICE\\" + self.pc.user, self.pc.password)
        client.expect("connected")
        self.assertEqual(client.quit(), 0)

    def test_security_of_another_protocol(self):
        client = self.client(self.pc.port, "u", "p", security=VNC)
        self.assertEqual(client.wait(), 1)

    def test_pixels_and_typing(self):
        """Lossless codecs only: every pixel equal, also after typing into a terminal."""
        out = self.folder / "typed"
        terminal = self.pc.x.start("xterm", "-geometry", "100x30+20+20", "-e", "sh", "-c", f"read line; echo \"$line\" >{out}")
        self.addCleanup(terminal.stop)
        self.pc.x.run("xdotool", "search", "--sync", "--onlyvisible", "--class", "xterm")
        client = self.connected(self.pc)
        client.expect("painted")
        client.send("pointer 100 100 0 0 0")
        self.until_equal(client, self.pc.x)
        before = client.picture()
        client.key(0x1f, 0x12, 0x25, 0x17, 0x1f, 0x23, 0x18)
        harness.until("the echo", lambda: client.settle(200, 2000) and client.picture() != before)
        self.until_equal(client, self.pc.x)
        client.key(0x1c)
        harness.until("what was typed", lambda: out.exists() and out.read_text())
        self.assertEqual(out.read_text(), "sekisho\n")
        self.assertEqual(client.quit(), 0)

    def test_channels(self):
        """Exactly one static channel, two dynamic ones loaded, and what else the PC asks for is refused and told."""
        client = self.connected(self.pc)
        client.expect("painted")
        self.assertIn("channel-refused AUDIO_INPUT", client.seen)
        client.send("channels")
        words = client.expect("channels").split()
        self.assertEqual(words[2:], ["static=drdynvc", "loaded=rdpgfx,disp", "open=drdynvc,rdpgfx"])
        self.assertEqual(client.quit(), 0)

    def test_hold(self):
        client = self.connected(self.pc)
        client.expect("painted")
        client.send("hold 1")
        client.settle(500, 1000)
        client.send("frames")
        before = client.expect("frames")
        self.pc.x.run("xsetroot", "-solid", "#102030")
        client.settle(500, 1000)
        client.send("frames")
        self.assertEqual(client.expect("frames"), before)
        client.send("hold 0")
        self.until_equal(client, self.pc.x)
        self.assertEqual(client.quit(), 0)

    def test_secrets_and_files(self):
        """Nothing is written, nothing below HOME is even looked at, and the log has no password."""
        home = self.folder / "home"
        home.mkdir()
        trace = self.folder / "trace"
        client = self.client(self.pc.port, self.pc.user, self.pc.password, HOME=str(home), ASAN_OPTIONS="detect_leaks=0",
                             wrap=["strace", "-f", "-e", "trace=file", "-o", str(trace)])
        client.expect("painted", seconds=60)
        self.assertEqual(client.quit(), 0)
        text = trace.read_text(errors="replace")
        self.assertNotIn(str(home), text)
        self.assertNotIn("O_CREAT", text)
        self.assertNotIn("mkdir(", text)
        self.assertNotIn(self.pc.password, client.text())


class Limits(Case):
    def test_desktop_too_big(self):
        pc = desktops.Shadow(self.folder / "big", size=(7700, 400))
        self.addCleanup(pc.stop)
        client = self.connected(pc)
        self.assertEqual(client.expect("ended", "painted"), "ended pc-too-big")
        self.assertEqual(client.wait(), 3)

    def test_pc_goes_away(self):
        pc = desktops.Shadow(self.folder / "gone", size=(640, 480))
        self.addCleanup(pc.stop)
        client = self.connected(pc)
        client.expect("painted")
        pc.kill()
        self.assertEqual(client.expect("ended"), "ended pc-closed")
        self.assertEqual(client.wait(), 3)

    def test_lossy_host(self):
        """A host that chooses progressive RemoteFX: nearly equal, never broken."""
        pc = desktops.Shadow(self.folder / "lossy", lossy=True, size=(640, 480))
        self.addCleanup(pc.stop)
        pc.x.run("xsetroot", "-solid", "#336699")
        client = self.connected(pc)
        client.expect("painted")

        def close():
            client.settle(200, 1000)
            ours, theirs = client.picture().rgb, pc.x.picture().rgb
            return len(ours) == len(theirs) and max(abs(a - b) for a, b in zip(ours, theirs)) <= 4
        harness.until("nearly equal pictures", close)
        self.assertEqual(client.quit(), 0)


    def test_video_host(self):
        """A host that sends H.264: nearly equal, and the same when it is decoded late and all at once."""
        pc = desktops.Shadow(self.folder / "video", lossy=True, size=(640, 480))
        self.addCleanup(pc.stop)
        pc.x.run("xsetroot", "-solid", "#336699")

        def close(client):
            client.settle(200, 1000)
            ours, theirs = client.picture().rgb, pc.x.picture().rgb
            return len(ours) == len(theirs) and max(abs(a - b) for a, b in zip(ours, theirs)) <= 6
        client = self.connected(pc, video="video")
        client.expect("video")
        client.expect("painted")
        harness.until("nearly equal pictures", lambda: close(client))
        self.assertEqual(client.quit(), 0)
        client = self.connected(pc, video="later")
        client.expect("video")
        for colour in ("#804020", "#113355", "#ddbb99"):
            pc.x.run("xsetroot", "-solid", colour)
            client.settle(300, 1000)
        self.assertNotIn("painted", client.seen)
        client.send("want")
        client.expect("painted")
        harness.until("nearly equal pictures", lambda: client.send("want") or close(client))
        client.send("want")
        self.assertRegex(client.expect("want 1"), r"units (\d+) passable \1$")
        self.assertEqual(client.quit(), 0)


class Xrdp(Case):
    """xrdp with xorgxrdp: TLS, lossless bitmaps, resize by the display channel."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = desktops.Xrdp(cls.folder / "xrdp")
        cls.addClassCleanup(cls.pc.stop)

    def test_desktop(self):
        client = self.connected(self.pc, security=AUTO, size=(1280, 800), layout=JAPANESE)
        self.assertIn("resized 1280 800", client.seen)
        harness.until("the desktop", lambda: client.settle(500, 5000) and len(set(client.picture().rgb)) > 60, 60)
        x = self.pc.x()
        self.until_equal(client, x, 40)
        client.send("channels")
        words = client.expect("channels").split()
        self.assertEqual(words[1:], ["can_resize=1", "static=drdynvc", "loaded=rdpgfx,disp", "open=drdynvc,disp"])
        client.send("resize 1025 701")
        self.assertEqual(client.expect("resize "), "resize 1")
        client.expect("resized 1024 701")
        harness.until("the X server to follow", lambda: x.size() == (1024, 701))
        self.until_equal(client, x, 40)
        # two monitors side by side, of different heights
        client.send("monitors")
        words = client.expect("monitors").split()
        self.assertEqual(words[1], "2")
        self.assertGreater(int(words[3]), 0, "no round trip of the connection")
        client.send("resize 1024 700 800 750")
        self.assertEqual(client.expect("resize "), "resize 1")
        client.expect("resized 1824 750")
        harness.until("the X server to follow", lambda: x.size() == (1824, 750))
        self.until_equal(client, x, 40)
        self.assertEqual(client.quit(), 0)
        # the session stays; a second connection finds it again
        again = self.connected(self.pc, security=TLS, size=(1024, 768), layout=US)
        again.expect("painted")
        harness.until("the desktop", lambda: again.settle(500, 5000) and len(set(again.picture().rgb)) > 60, 60)
        self.assertEqual(again.quit(), 0)

    def typed(self, layout, *lines):
        """What a shell in a new terminal on the desktop read after these lines for the tool."""
        client = self.connected(self.pc, security=TLS, layout=layout)
        harness.until("the desktop", lambda: client.settle(500, 5000) and len(set(client.picture().rgb)) > 60, 60)
        out = self.folder / "typed"
        out.unlink(missing_ok=True)
        x = self.pc.x()
        terminal = x.start("xterm", "-geometry", "60x10+0+0", "-T", "typed", "-e", "sh", "-c",
                           f"read -r line; printf %s \"$line\" >{out}", LANG="C.UTF-8")
        self.addCleanup(terminal.stop)
        x.run("xdotool", "search", "--sync", "--onlyvisible", "--name", "^typed$", "windowactivate", "--sync")
        for line in lines:
            client.send(line)
        client.key(0x1c)
        harness.until("what was typed", lambda: out.exists() and out.read_text())
        self.assertEqual(client.quit(), 0)
        return out.read_text()

    @staticmethod
    def stroke(code, keysym=0):
        return [f"key {keysym} {code} 1", f"key {keysym} {code} 0"]

    def test_japanese_keys(self):
        """At sign, yen and ro are where a Japanese keyboard has them; Shift+2 is a quotation mark."""
        keys = [*self.stroke(0x1a), *self.stroke(0x7d), *self.stroke(0x73), "key 0 0x2a 1", *self.stroke(0x03),
                "key 0 0x2a 0", *self.stroke(0x1e)]
        self.assertEqual(self.typed(JAPANESE, *keys), "@\\\\\"a")

    def test_us_keys(self):
        keys = [*self.stroke(0x1a), "key 0 0x2a 1", *self.stroke(0x03), "key 0 0x2a 0", *self.stroke(0x1e)]
        self.assertEqual(self.typed(US, *keys), "[@a")

    def test_keypad_follows_the_persons_num_lock(self):
        """The digit has the keysym KP_7 where the person sits, so it arrives as a digit, and not as Home."""
        self.assertEqual(self.typed(US, *self.stroke(0x47, 0xffb7), *self.stroke(0x50, 0xffb2)), "72")

    def test_text(self):
        """Unicode events; xrdp 0.9 knows those that the layout has."""
        self.assertEqual(self.typed(US, "text Sekisho 42"), "Sekisho 42")

    def test_nla_where_only_tls_is(self):
        self.failed("pc-security", self.pc.port, self.pc.user, self.pc.password, security=NLA)


def confirm(protocol):
    """X.224 Connection Confirm with RDP_NEG_RSP ([MS-RDPBCGR] 2.2.1.2.1)."""
    return bytes([3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0x1f, 8, 0, protocol, 0, 0, 0])


class Broken(Case):
    """Servers that refuse, hang, drip and talk rubbish at every stage."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key, cls.cert = cls.folder / "key.pem", cls.folder / "cert.pem"
        harness.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=bad", "-keyout", cls.key,
                    "-out", cls.cert)

    def pc(self, behave):
        pc = desktops.BadPc(behave)
        self.addCleanup(pc.stop)
        return pc.port

    def tls(self, protocol, then):
        """Negotiates, does the TLS handshake, then does as told."""
        def behave(peer):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.cert, self.key)
            peer.recv(1000)
            peer.sendall(confirm(protocol))
            with context.wrap_socket(peer, server_side=True) as inner:
                then(inner)
        return self.pc(behave)

    @staticmethod
    def drip(begin):
        def behave(peer):
            peer.sendall(begin)
            while True:
                peer.sendall(b"a")
                time.sleep(0.05)
        return behave

    @staticmethod
    def say(data):
        def behave(peer):
            peer.sendall(data)
            desktops.hang(peer)
        return behave

    def test_refused(self):
        self.failed("pc-unreachable", harness.free_port(), within=2)

    def test_unknown_name(self):
        self.failed("pc-unreachable", 3389, address="no-such-host.invalid")

    def test_addresses_that_are_none(self):
        for address in ("/run/dbus/system_bus_socket", "vsock://2", "|cat", "a b", ""):
            self.failed("pc-unreachable", 3389, address=address, within=2)

    def test_hangs_after_the_connection(self):
        self.failed("pc-timeout", self.pc(desktops.hang), seconds=2, within=3)

    def test_hangs_in_tls(self):
        self.failed("pc-timeout", self.pc(self.say(confirm(2))), seconds=2, within=3)

    def test_hangs_in_nla(self):
        self.failed("pc-timeout", self.tls(2, desktops.hang), seconds=2, within=3)

    def test_hangs_after_tls(self):
        self.failed("pc-timeout", self.tls(1, desktops.hang), seconds=2, within=3)

    def test_drips(self):
        self.failed("pc-timeout", self.pc(self.drip(bytes([3, 0, 0xff, 0xff]))), seconds=2, within=3)

    def test_drips_in_nla(self):
        self.failed("pc-timeout", self.tls(2, self.drip(bytes([0x30, 0x82, 0xff, 0xff]))), seconds=2, within=3)

    def test_drips_after_tls(self):
        self.failed("pc-timeout", self.tls(1, self.drip(bytes([3, 0, 0xff, 0xff]))), seconds=2, within=3)

    def test_hangs_up(self):
        self.failed("pc-protocol", self.pc(desktops.hang_up))

    def test_rubbish(self):
        self.failed("pc-protocol", self.pc(self.say(b"\xa5" * 65536)))

    def test_web_server(self):
        def behave(peer):
            peer.recv(1000)
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            peer.close()
        self.failed("pc-protocol", self.pc(behave))

    def test_rubbish_in_tls(self):
        self.failed("pc-security", self.pc(self.say(confirm(1) + b"\x5a" * 60000)))

    def test_rubbish_in_nla(self):
        self.failed("pc-protocol", self.tls(2, self.say(b"\x30\x84\xff\xff\xff\xff" + bytes(60000))))

    def test_rubbish_after_tls(self):
        self.failed("pc-protocol", self.tls(1, self.say(b"\xa5" * 60000)))

    def test_enormous_length_after_tls(self):
        ber = b"\x02\xf0\x80\x7f\x66\x84\x7f\xff\xff\xff"
        self.failed("pc-protocol", self.tls(1, self.say(b"\x03\x00\xff\xff" + ber + bytes(70000))))

    def test_only_old_rdp_security(self):
        old = bytes([3, 0, 0, 11, 6, 0xd0, 0, 0, 0x12, 0x34, 0])
        self.failed("pc-security", self.pc(self.say(old)))

    def test_selects_what_was_not_offered(self):
        self.failed("pc-security", self.pc(self.say(confirm(0))))

    def test_old_tls(self):
        def behave(peer):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.cert, self.key)
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
            peer.recv(1000)
            peer.sendall(confirm(1))
            with context.wrap_socket(peer, server_side=True):
                pass
        self.failed("pc-security", self.pc(behave))


if __name__ == "__main__":
    if not TOOL.exists():
        print(f"no {TOOL}: build it first", file=sys.stderr)
        sys.exit(1)
    unittest.main(verbosity=2)
