"""What is played on a desktop: programs on an X display, and what the person does to them."""

import html
import os
import pathlib
import random
import shutil
import signal
import time

import harness

WIDTH, HEIGHT = 1920, 1080
TOOLS = harness.BUILD / "tests"
PLAYER = TOOLS / "bench-player"
NAMES = "lambda sigma kernel packet window buffer render surface glyph office signal vector matrix thread".split()


def descendants(pid):
    """pid and all below it."""
    found = [pid]
    for child, _ in harness.children_of(pid):
        found += descendants(child)
    return found


def words(count, seed):
    chosen = random.Random(str(seed))
    return " ".join(chosen.choice(NAMES) + str(chosen.randrange(1000)) for _ in range(count))


class Missing(Exception):
    """This machine lacks something; the text says what and how to get it."""


class App:
    """A program on a desktop; x is desktops.X. busy: it draws all the time by itself."""

    window = ""
    busy = False
    marked = False  # in the corner of the screen stands the number of each picture of the program, in bits
    needs = ()
    warm_s = 1.5  # until a busy one has reached its speed

    def __init__(self, x, folder):
        for program in self.needs:
            if not shutil.which(str(program)):
                raise Missing(f"{program} is not there: deploy/deps test bench installs it or what builds it")
        self.x, self.folder = x, pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.process = self.launch()
        try:
            harness.until(f"a window of {self.window}", lambda: x.has_window(self.window), 60, 0.2)
            if self.marked:
                harness.until(f"{self.window} to draw", self._draws, 60, 0.2)
            if self.busy:
                time.sleep(self.warm_s)
            else:
                self._until_quiet()
        except BaseException:
            self.stop()
            raise

    def launch(self):
        raise NotImplementedError

    def start(self, *command, **env):
        return self.x.start(*command, log=self.folder / "app.log", TMPDIR=str(self.folder), **env)

    def pids(self):
        return descendants(self.process.pid)

    def _until_quiet(self):
        """Until it used less than 10 ms of CPU in 0.4 s."""
        def used():
            total = 0.0
            for pid in self.pids():
                try:
                    total += time.clock_gettime((~pid << 3) | 2)
                except OSError:
                    pass
            return total

        def quiet():
            before = used()
            time.sleep(0.4)
            return used() - before < 0.01

        harness.until(f"{self.window} to be quiet", quiet, 60, 0)

    def _draws(self):
        shades = {self.x.run("import", "-silent", "-window", "root", "-crop", "1x1+12+12", "-depth", 8, "rgb:-")
                  for _ in range(3)}
        return len(shades) > 1

    def signal(self, number):
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def stop(self):
        pids = self.pids()
        self.signal(signal.SIGCONT)
        self.process.stop(5)
        for pid in pids[1:]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


class Terminal(App):
    """A shell's screenful and a line to type into."""

    window, needs = "xterm", ("xterm",)

    def launch(self):
        text = self.folder / "text"
        text.write_text("".join(words(9, i) + "\n" for i in range(20)))
        return self.start("xterm", "-fn", "9x15", "-geometry", "120x40+0+0", "-e", "sh", "-c", f"cat {text} -")


class Flood(App):
    """A terminal that prints a log as fast as it can."""

    window, needs, busy = "xterm", ("xterm",), True

    def launch(self):
        text = self.folder / "text"
        text.write_text("".join(f"[{i:05}] {words(1 + i % 11, i)}\n" for i in range(5000)))
        return self.start("xterm", "-fn", "9x15", "-geometry", "160x60+0+0", "-e", "sh", "-c",
                          f"while :; do cat {text}; done")


# The corner has the step's number, a square a bit: the viewer counts the steps that it saw.
PAGE = """<!doctype html><meta charset="utf-8"><title>bench</title>
<style>body{{font:16px/1.5 sans-serif;margin:0 12%;background:#fff}} h2{{color:#146}} td{{border:1px solid #ccc;padding:4px}}
.banner{{height:180px;background:linear-gradient(90deg,#246,#8bd,#fda)}} a{{color:#06c}}
#mark{{position:fixed;left:0;top:0;width:96px;height:24px}}</style><div id=mark></div>{body}
<script>let step=40,count=0;setInterval(()=>{{const end=document.documentElement.scrollHeight-innerHeight;
if(scrollY+step>end||scrollY+step<0)step=-step;window.scrollBy(0,step);
count++;mark.style.background=`linear-gradient(90deg,${{[0,1,2,3].map(bit=>`${{count>>bit&1?"#fff":"#000"}} ${{24*bit}}px ${{24*bit+24}}px`)}})`}},33)</script>"""


def page():
    """An article of forty screens: text, links, tables, now and then a banner."""
    parts = []
    for i in range(80):
        parts.append(f"<h2>{html.escape(words(5, i))}</h2>")
        parts += [f"<p>{words(70, (i, j))} <a href=#>{words(3, (i, j, 'a'))}</a> {words(40, (i, j, 'b'))}</p>"
                  for j in range(3)]
        if i % 4 == 1:
            rows = "".join("<tr>" + "".join(f"<td>{words(1, (i, r, c))}" for c in range(7)) for r in range(8))
            parts.append(f"<table>{rows}</table>")
        if i % 6 == 2:
            parts.append("<div class=banner></div>")
    return PAGE.format(body="".join(parts))


class Browser(App):
    """Chromium, scrolling 40 pixels every 33 ms by itself."""

    window, needs, busy, warm_s = "chromium", ("chromium",), True, 3
    marked = True

    def launch(self):
        (self.folder / "page.html").write_text(page())
        return self.start(
            "chromium", "--no-sandbox", "--disable-gpu", "--in-process-gpu", "--disable-quic", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-background-timer-throttling",
            "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows", "--kiosk",
            f"--user-data-dir={self.folder / 'profile'}", f"--window-size={WIDTH},{HEIGHT}", "--window-position=0,0",
            f"file://{self.folder / 'page.html'}", HOME=str(self.folder))


SHEET = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.spreadsheet">
<office:body><office:spreadsheet><table:table table:name="S">{rows}</table:table></office:spreadsheet></office:body>
</office:document>"""
QUIET_OFFICE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Misc"><prop oor:name="ShowTipOfTheDay" oor:op="fuse"><value>false</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Misc"><prop oor:name="FirstRun" oor:op="fuse"><value>false</value></prop></item>
<item oor:path="/org.openoffice.Setup/Product"><prop oor:name="ooSetupLastVersion" oor:op="fuse"><value>99.9</value></prop></item>
</oor:items>"""


class Calc(App):
    """LibreOffice with a sheet of 1,500 rows."""

    window, needs = "libreoffice", ("soffice", "openbox")

    def launch(self):
        chosen = random.Random(1)
        rows = "".join(
            "<table:table-row>" + "".join(
                f'<table:table-cell office:value-type="string"><text:p>{NAMES[chosen.randrange(len(NAMES))]}</text:p></table:table-cell>'
                if column % 4 == 0 else
                f'<table:table-cell office:value-type="float" office:value="{chosen.randrange(10 ** 6) / 100}"/>'
                for column in range(18)) + "</table:table-row>" for _ in range(1500))
        sheet = self.folder / "sheet.fods"
        sheet.write_text(SHEET.format(rows=rows))
        user = self.folder / "profile" / "user"
        user.mkdir(parents=True)
        (user / "registrymodifications.xcu").write_text(QUIET_OFFICE)
        return self.start("soffice", f"-env:UserInstallation=file://{user.parent}", "--norestore", "--nologo",
                          "--nofirststartwizard", "--nolockcheck", "--calc", sheet, HOME=str(self.folder))


class Film(App):
    """bench-player, 24 frames a second in the whole screen."""

    window, needs, busy, marked, size = "bench-player", (PLAYER,), True, True, (WIDTH, HEIGHT)

    def launch(self):
        return self.start(PLAYER, 0, 0, *self.size, 24)


class SmallFilm(Film):
    """The same in a quarter of the screen."""

    size = (WIDTH // 2, HEIGHT // 2)


class Work:
    """A row of the table. act: the viewer's mode; every_ms: an input each so many ms."""

    def __init__(self, name, app, act="watch", every_ms=0, **targets):
        self.name, self.app, self.act, self.every_ms, self.targets = name, app, act, every_ms, targets


# The targets: least frames/s; at most % of a core, KB a frame, KB/s, ms of CPU a frame (edge and worker together),
# ms from key to picture (95th percentile), ms more than a bare libvncclient (50th and 95th percentile), MB of a worker,
# and seconds after the last change until the picture is exact, rounded, with what looking takes.
VNC = [
    Work("typing", Terminal, "type", 100, cpu=1, kb_s=6, over_bare_p50=4, over_bare_p95=10, worker_mb=25, exact_s=0.4),
    Work("idle", Terminal, cpu=0.05, kb_s=0.1),
    Work("flood", Flood, fps=30, cpu=17, exact_s=0.4),
    Work("scroll", Browser, fps=30, cpu=15, kb_frame=30, worker_mb=25, exact_s=0.4),
    Work("calc-wheel", Calc, "wheel", 100, cpu=10, kb_frame=30, exact_s=0.4),
    Work("calc-page", Calc, "page", 300, cpu=10, kb_frame=30, exact_s=0.4),
    Work("video-full", Film, fps=23.5, cpu=40, kb_frame=60),
    Work("video-quarter", SmallFilm, fps=23.5),
]
MANY = Work("twenty-typing", Terminal, "type", 100, p95=30, worker_mb=25)
RDP = [
    Work("rdp-typing", Terminal, "type", 100, worker_mb=70),
    Work("rdp-scroll", Browser, fps=20, cpu_frame=40, worker_mb=70),
    Work("rdp-video-full", Film, fps=15, cpu_frame=60),
]
