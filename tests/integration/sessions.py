"""Opening desktops in tests."""

import secrets

import harness
import stream


class Case(harness.Case):
    """A gateway with sato, who is logged in as self.browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sato = cls.gateway.add_user("sato")
        cls.browser = cls.sato.login()

    @classmethod
    def host_for(cls, pc, name, protocol="vnc", **more):
        """A row for a desktop of desktops.py, granted to sato, with its login kept."""
        return cls.gateway.add_host(name, protocol, pc.port, user="sato", password=getattr(pc, "password", None),
                                    pc_user=getattr(pc, "user", None), **more)

    def open(self, host, browser=None, **more):
        """Opens a session and ends it after the test."""
        browser = browser or self.browser
        answer = browser.open_session(host, **more)
        self.assertIn(answer.status, (200, 201), answer)
        session = answer.json["id"]
        self.addCleanup(self.close, session, browser)
        return session

    @staticmethod
    def close(session, browser):
        """Ends it, if the gateway is still there."""
        try:
            browser.delete(f"/api/sessions/{session}")
        except OSError:
            pass

    def view(self, session, browser=None, **more):
        viewer = stream.Viewer(browser or self.browser, session, **more)
        self.addCleanup(viewer.close)
        return viewer

    def desktop(self, host, **more):
        """A viewer of a new session that shows a picture."""
        viewer = self.view(self.open(host, **more)).until_picture(30)
        viewer.move(100, 100)
        return viewer

    def shown(self, session, browser=None):
        return (browser or self.browser).get(f"/api/sessions/{session}").json

    def until_ended(self, session, reason, seconds=15, browser=None):
        """Until the session has ended, for this reason."""
        harness.until(lambda: f"session to end: {self.shown(session, browser)}",
                      lambda: self.shown(session, browser)["state"] == "ended", seconds)
        self.assertEqual(self.shown(session, browser)["reason"], reason)

    def terminal(self, x):
        """A terminal that puts every line typed into a file; it has the focus, because no window manager runs."""
        path = self.gateway.dir / f"typed-{secrets.token_hex(4)}"
        process = x.start("xterm", "-u8", "-geometry", "150x45+0+0", "-e", "bash", "--norc", "-c",
                          f'while IFS= read -r line; do echo "$line" >>{path}; done')
        self.addCleanup(process.stop)
        harness.until("the terminal", lambda: x.has_window("xterm"))
        return path

    def arrived(self, viewer, path, text):
        """Until the PC has this line as the last one."""
        def there():
            while viewer.step(0.05):
                pass
            return path.exists() and path.read_text().endswith(text + "\n")

        harness.until(lambda: f"{text!r} on the PC, which has {path.read_text() if path.exists() else None!r}", there)
