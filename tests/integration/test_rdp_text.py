#!/usr/bin/env python3
"""Text that an input method composed on the laptop, on its way to PCs that speak RDP."""

import desktops
import harness
import test_rdp_client
from test_rdp_client import JAPANESE, TLS

RELEASE = 0x8000
TAX_SLIP = "源泉徴収票"
LETTER = f"{TAX_SLIP}の提出は、1月31日(金)までにお願いします。"


class Peer:
    """tool-rdp-peer: an RDP server that tells which keyboard events it gets."""

    user, password = "sato", "unused"

    def __init__(self, folder, unicode=True):
        folder.mkdir()
        key, cert = folder / "key.pem", folder / "cert.pem"
        harness.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=peer", "-keyout", key, "-out",
                    cert)
        self.log = folder / "peer.log"
        self.process = harness.Process([harness.BUILD / "tests" / "tool-rdp-peer", cert, key,
                                        "unicode" if unicode else "no-unicode"], self.log)
        self.port = int(harness.until("the port", lambda: self.lines("port"))[0][0])

    def lines(self, *kinds):
        """The words after the kind, of each line that is one of kinds."""
        found = [line.split() for line in self.log.read_text(errors="replace").splitlines()]
        return [words[1:] for words in found if words and words[0] in kinds]

    def keyboard(self):
        """[(kind, released, number)] of every keyboard event since the start."""
        found = [line.split() for line in self.log.read_text(errors="replace").splitlines()]
        return [(words[0], bool(int(words[1], 16) & RELEASE), int(words[2], 16)) for words in found
                if words and words[0] in ("scancode", "unicode")]

    def stop(self):
        self.process.stop()


def units(text):
    """What RDP carries for text: a press and a release for each UTF-16 unit ([MS-RDPBCGR] 2.2.8.1.1.3.1.1.2)."""
    data = text.encode("utf-16-le")
    return [("unicode", released, int.from_bytes(data[at:at + 2], "little")) for at in range(0, len(data), 2)
            for released in (False, True)]


def stroke(code):
    return [("scancode", False, code), ("scancode", True, code)]


class Events(test_rdp_client.Case):
    """What a server built on FreeRDP's library receives, event by event."""

    def served(self, **more):
        peer = Peer(self.folder / self.id(), **more)
        self.addCleanup(peer.stop)
        client = self.connected(peer, security=TLS, layout=JAPANESE)
        client.expect("painted")
        return peer, client

    def got(self, peer, client, expected):
        harness.until(lambda: f"{expected}, got {peer.keyboard()}", lambda: len(peer.keyboard()) >= len(expected))
        self.assertEqual(client.quit(), 0)
        harness.until("the end of the connection", lambda: "\nleft" in peer.log.read_text())
        self.assertEqual(peer.keyboard(), expected)

    def test_japanese_text(self):
        peer, client = self.served()
        client.send(f"text {TAX_SLIP}と12月")
        self.got(peer, client, units(f"{TAX_SLIP}と12月"))

    def test_characters_beyond_the_basic_plane(self):
        peer, client = self.served()
        client.send("text 𠮷野家")
        self.got(peer, client, units("𠮷野家"))
        self.assertEqual(peer.keyboard()[:4], [("unicode", False, 0xd842), ("unicode", True, 0xd842),
                                               ("unicode", False, 0xdfb7), ("unicode", True, 0xdfb7)])

    def test_a_key_does_not_overtake_the_text_before_it(self):
        peer, client = self.served()
        client.send(f"text {TAX_SLIP}")
        client.key(0x1c)
        client.send("text 済")
        self.got(peer, client, units(TAX_SLIP) + stroke(0x1c) + units("済"))

    def test_long_text_is_whole(self):
        """As many characters as one message of a viewer takes."""
        peer, client = self.served()
        text = "年末調整" * 85
        client.send(f"text {text}")
        self.got(peer, client, units(text))

    def test_support_is_known(self):
        for unicode, support in ((True, 0), (False, 2)):
            peer = Peer(self.folder / f"{self.id()}-{unicode}", unicode=unicode)
            self.addCleanup(peer.stop)
            client = self.connected(peer, security=TLS, layout=JAPANESE)
            client.send("support")
            self.assertEqual(client.expect("support"), f"support text={support}")
            self.assertEqual(client.quit(), 0)


class Gnome(test_rdp_client.Case):
    """A real PC that takes composed text: GNOME under X11 gives each character a key of its own for a moment.

    Its window manager loses the first ones, until those keys are known, and now and then it falls over while it
    makes them (Mutter 43). So a person is told to use the PC's own input method there; this shows that what the
    gateway sends is what a program reads.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        desktops.Gnome.need()

    def test_japanese_text_in_a_program(self):
        for number in range(5):
            pc = desktops.Gnome(self.folder / f"gnome-{number}")
            try:
                if self.shown(pc, self.folder / f"typed-{number}"):
                    return
                self.assertIsNotNone(pc.manager.child.poll(), f"{LETTER} is not shown, and GNOME runs")
            finally:
                pc.stop()
        self.fail("GNOME's window manager fell over each time")

    def shown(self, pc, path):
        """Whether a program reads the text, at the latest at the third time; False too when GNOME has fallen over."""
        terminal = pc.x.start("xterm", "-u8", "-geometry", "100x30+0+0", "-e", "sh", "-c", f"cat >{path}")
        self.addCleanup(terminal.stop)
        harness.until("the terminal", lambda: pc.x.has_window("xterm"))
        client = self.connected(pc, layout=JAPANESE)
        client.expect("painted")
        for buttons in (0, 1, 0):
            client.send(f"pointer 200 300 {buttons} 0 0")
        try:
            for times in range(1, 4):
                client.settle()
                for char in LETTER:
                    client.send(f"text {char}")
                    client.settle(50, 1000)
                client.key(0x1c)
                harness.until("the line", lambda: path.read_text().count("\n") == times, 5)
                if path.read_text().endswith(f"{LETTER}\n"):
                    return True
        except (AssertionError, BrokenPipeError):
            pass
        return False


if __name__ == "__main__":
    harness.main()
