#!/usr/bin/env python3
"""The menu of my PCs: who sees what, state, Wake-on-LAN."""

import socket
import threading

import desktops
import harness

MAC = "02:00:5e:00:53:01"


class SleepingPc:
    """Listens only after the magic packet for its MAC has come (six 0xff, then the MAC sixteen times)."""

    def __init__(self):
        self.port = harness.free_port()
        self.packets = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.packets.bind(("127.0.0.1", 0))
        self.listener = None
        self.woken = threading.Event()
        threading.Thread(target=self._sleep, daemon=True).start()

    def _sleep(self):
        magic = b"\xff" * 6 + bytes.fromhex(MAC.replace(":", "")) * 16
        while True:
            try:
                packet = self.packets.recv(2048)
            except OSError:
                return
            if packet[:len(magic)] == magic:
                break
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.woken.set()

    def stop(self):
        self.packets.close()
        if self.listener:
            self.listener.close()


class Menu(harness.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sato = cls.gateway.add_user("sato")
        cls.suzuki = cls.gateway.add_user("suzuki")
        cls.pc = cls.start(desktops.BadPc(desktops.hang))
        cls.number = cls.gateway.add_host("経理PC", "vnc", cls.pc.port, user="sato", password="pc-pass1")
        cls.browser = cls.sato.login()
        cls.other = cls.suzuki.login()

    def host(self, name, browser=None):
        hosts = (browser or self.browser).get("/api/hosts").json["hosts"]
        return next((h for h in hosts if h["name"] == name), None)

    def state(self, name, wanted, seconds=30):
        harness.until(f"{name} to be {wanted}", lambda: self.host(name)["state"] == wanted, seconds)

    def test_only_my_pcs(self):
        self.assertEqual(self.host("経理PC")["id"], self.number)
        self.assertEqual(self.other.get("/api/hosts").json["hosts"], [])
        self.assertEqual(self.other.post(f"/api/hosts/{self.number}/wake").status, 404)
        self.assertEqual(self.other.open_session(self.number).status, 404)

    def test_reachable_then_not(self):
        pc = desktops.BadPc(desktops.hang)
        self.gateway.add_host("一時PC", "vnc", pc.port, user="sato")
        self.state("一時PC", "reachable")
        self.assertFalse(self.host("一時PC")["can_wake"])
        pc.stop()
        self.state("一時PC", "unreachable", 60)

    def test_grant_and_deny(self):
        self.gateway.add_host("会議室PC", "vnc", self.pc.port, user="suzuki")
        self.assertIsNotNone(self.host("会議室PC", self.other))
        self.gateway.cli("host", "deny", "--name", "会議室PC", "--user", "suzuki")
        self.assertIsNone(self.host("会議室PC", self.other))

    def test_needs_login_until_one_is_kept(self):
        self.gateway.add_host("税務PC", "rdp", self.pc.port, user="sato")
        self.assertTrue(self.host("税務PC")["needs_login"])
        answer = self.browser.open_session(self.host("税務PC")["id"])
        self.assertEqual((answer.status, answer.json), (409, {"error": "credentials"}))
        self.gateway.cli("host", "credentials", "--name", "税務PC", "--user", "sato", "--pc-user", "sato",
                         password="pc-pass2")
        self.assertFalse(self.host("税務PC")["needs_login"])

    def test_wake(self):
        pc = self.start(SleepingPc())
        number = self.gateway.add_host("奥のPC", "vnc", pc.port, user="sato", mac=MAC,
                                       broadcast=f"127.0.0.1:{pc.packets.getsockname()[1]}")
        self.state("奥のPC", "asleep")
        self.assertTrue(self.host("奥のPC")["can_wake"])
        self.assertEqual(self.browser.post(f"/api/hosts/{number}/wake").status, 202)
        self.assertIn(self.host("奥のPC")["state"], ("waking", "reachable"))
        self.assertTrue(pc.woken.wait(10), "no magic packet came")
        self.state("奥のPC", "reachable")


if __name__ == "__main__":
    harness.main()
