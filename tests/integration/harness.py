"""Starts a whole gateway from SEKISHO_BUILD in a folder of its own, on free ports of the loopback address.

    import harness
    class Login(harness.Case):
        def test_wrong_password(self): ...
    if __name__ == "__main__":
        harness.main()

Each test file is a program; 77 says that it was skipped. A test fails too when any process of the gateway left a
report of AddressSanitizer, UBSan or valgrind in its log. SEKISHO_KEEP=1 keeps the folder. SEKISHO_WRAP is a command
to put before the processes named in SEKISHO_WRAP_ROLES, with %d for a folder that all may write to (test_valgrind uses it).
SEKISHO_PATIENCE multiplies what tests wait for at most.
"""

import json
import os
import pathlib
import random
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

import client

SOURCE = pathlib.Path(os.environ.get("SEKISHO_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("SEKISHO_BUILD", SOURCE / "build" / "dev"))
ROLES = ("edge", "broker", "signer", "probe", "vault", "siem", "worker", "export", "preview")
PARTS = ("broker", "monitor", "edge", "signer", "probe", "vault")
ROOT = os.geteuid() == 0
SKIPPED = 77
PATIENCE = client.PATIENCE
REPORT = re.compile(r"ERROR: (Address|Leak|Memory|Thread)Sanitizer|runtime error:|AddressSanitizer:DEADLYSIGNAL|"
                    r"^==\d+== ")  # the last: memcheck, which is told to be quiet otherwise


def reserve(name):
    """Something that keeps the name from every other process of the tests until it is closed; None when one has it."""
    holder = socket.socket(socket.AF_UNIX)
    try:
        holder.bind(f"\0sekisho-test-{name}")
        return holder
    except OSError:
        holder.close()
        return None


def free_port(ours=[]):
    """A port that nothing listens on, and that is this process's alone among the tests; outgoing connections have none
    below 32768."""
    while True:
        port = random.randrange(20000, 30000)
        holder = reserve(port)
        if not holder:
            continue
        ours.append(holder)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def make_users(*more):
    """The system users, which tests that run side by side must not make at once."""
    with until("another test to make the users", lambda: reserve("users"), 60):
        subprocess.run([SOURCE / "deploy" / "users", *more], check=True)


def until(what, condition, seconds=20, every=0.05):
    """The first true value of condition(), or a failure that names what was waited for (text or a function)."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds * PATIENCE} s for {what() if callable(what) else what}")
        time.sleep(every)


def reachable_by_others(path):
    """Whether a process of another user may pass through all folders of path."""
    path = pathlib.Path(path).resolve()
    return all(folder.stat().st_mode & 1 for folder in [path, *path.parents])


def environment(**more):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    kept["ASAN_OPTIONS"] = "exitcode=99:abort_on_error=0:detect_leaks=1:handle_abort=1:log_to_syslog=0"
    kept["UBSAN_OPTIONS"] = "print_stacktrace=1"
    kept.update(more)
    return kept


class Process:
    """A child in a process group of its own, with its output in a file."""

    def __init__(self, arguments, log, **kw):
        self.log = pathlib.Path(log)
        self.name = pathlib.Path(arguments[0]).name
        kw.setdefault("env", environment())
        with open(self.log, "ab") as output:
            self.child = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=output,
                                          stderr=output, start_new_session=True, **kw)

    @property
    def pid(self):
        return self.child.pid

    def stop(self, seconds=15):
        """SIGTERM, and after the time SIGKILL to the whole group, which then is a failure to report."""
        if self.child.poll() is None:
            self.child.terminate()
        try:
            self.child.wait(seconds * PATIENCE)
            return True
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
            return False


def run(*command, **kw):
    """A helper program that must succeed; its output."""
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, timeout=60 * PATIENCE, **kw).stdout


def children_of(pid):
    """[(pid, name)] of the direct children."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(errors="replace")
        except OSError:
            continue
        head, _, tail = text.rpartition(")")
        state, parent = tail.split()[:2]
        if int(parent) == pid and state not in "ZX":
            found.append((int(head.split(" ", 1)[0]), head.split("(", 1)[1]))
    return found


def command_of(pid):
    """The command line; the name alone would not show what runs under a wrapper."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


class CliError(Exception):
    pass


class Gateway:
    """One office. Settings are given as section_field=value; address is the gateway's."""

    def __init__(self, address="127.0.0.1", **settings):
        # A name that any keyboard can type; the system users must get in.
        self.dir = pathlib.Path(tempfile.gettempdir()) / f"sekisho-{secrets.token_hex(6)}"
        self.dir.mkdir(0o755)
        self.address, self.port, self.enrol_port = address, free_port(), free_port()
        self.bin, self.viewer = BUILD / "bin", BUILD / "share" / "viewer"
        if ROOT:
            make_users()
            self._stage()
        if "SEKISHO_WRAP" in os.environ:
            self._wrap(os.environ["SEKISHO_WRAP"].replace("%d", str(self.dir / "logs")), os.environ["SEKISHO_WRAP_ROLES"].split())
        self.settings_path = self.dir / "sekisho.conf"
        self.log_path = self.dir / "gateway.log"
        self.values = {
            "gateway_state_dir": self.dir / "state", "gateway_runtime_dir": self.dir / "run",
            "gateway_viewer_dir": self.viewer, "gateway_listen": f"{address}:{self.port}",
            "gateway_enrol_listen": f"127.0.0.1:{self.enrol_port}", "gateway_name": "localhost",
            "gateway_office": "試験事務所", "limits_requests_per_minute": 100000, "limits_connections_per_address": 512,
            "recording_free_megabytes": 0,
        }
        self.process = None
        self.auditor = None
        self.configure(**settings)

    def _stage(self):
        """The system users must reach the programs; a checkout below /root is copied."""
        if reachable_by_others(self.bin):
            return
        shutil.copytree(self.bin, self.dir / "bin")
        shutil.copytree(self.viewer, self.dir / "viewer")
        self.bin, self.viewer = self.dir / "bin", self.dir / "viewer"

    def _wrap(self, command, roles):
        """A folder of programs in which some are scripts that run the real ones under the command."""
        real, wrapped, logs = self.bin, self.dir / "wrapped", self.dir / "logs"
        wrapped.mkdir()
        logs.mkdir()
        logs.chmod(0o1777)
        for program in real.glob("sekisho*"):
            target = wrapped / program.name
            if program.name.removeprefix("sekisho-").split("-")[0] in roles:
                target.write_text(f'#!/bin/sh\nexec {command} {program} "$@"\n')
                target.chmod(0o755)
            else:
                shutil.copy2(program, target)
        self.bin = wrapped

    def configure(self, **settings):
        self.values.update(settings)
        sections = {}
        for name, value in self.values.items():
            section, _, field = name.partition("_")
            sections.setdefault(section, []).append(f"{field} = {value}\n")
        self.settings_path.write_text("".join(f"[{s}]\n" + "".join(lines) for s, lines in sections.items()))
        self.settings_path.chmod(0o644)

    # -- life ---------------------------------------------------------------------------------------------------

    def start(self):
        self.process = Process([self.bin / "sekishod", self.settings_path], self.log_path)
        self.ca = self.dir / "ca.pem"
        self.ca.write_text(until("the gateway to start", self.is_up, 60)["certificate"])
        return self

    def is_up(self):
        if self.process.child.poll() is not None:
            raise AssertionError(f"sekishod ended with {self.process.child.returncode}\n{self.log()}")
        if self.log().count("event=start-failed") > 10:
            raise AssertionError(f"parts of the gateway do not start\n{self.log()[-4000:]}")
        try:
            up = all(part["state"] == "up" or part["part"] not in PARTS for part in self.rows("status"))
            return up and self.has_certificate() and self.cli("ca", "show")
        except (OSError, CliError):
            return False

    def listens(self):
        """Whether any process of it, be it a dying one, still has one of its ports."""
        for port in (self.port, self.enrol_port):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return True
            except ConnectionRefusedError:
                pass
        return False

    def has_certificate(self):
        """Whether the enrolment port, which asks for no certificate, finishes a handshake."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.enrol_port), 1) as connection:
            context.wrap_socket(connection).close()
        return True

    def stop(self):
        """True when everything ended by itself and left nothing behind."""
        if not self.process:
            return True
        started = [pid for pid, _ in children_of(self.process.pid)]
        clean = self.process.stop()
        self.process = None
        left = [pid for pid in started if self._alive(pid)]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return clean and not left

    def _alive(self, pid):
        try:
            text = pathlib.Path(f"/proc/{pid}/stat").read_text()
            return "sekisho" in text and text.rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    def remove(self):
        if not os.environ.get("SEKISHO_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)

    def pids(self, role):
        return [pid for pid, _ in children_of(self.process.pid) if f"sekisho-{role}" in command_of(pid)]

    def pid(self, role):
        return until(f"a process sekisho-{role}", lambda: self.pids(role))[0]

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def reports(self):
        """Lines of every log that a sanitizer or valgrind wrote."""
        found = []
        for path in self.dir.rglob("*.log*"):
            for line in path.read_text(errors="replace").splitlines():
                if REPORT.search(line):
                    found.append(f"{path.name}: {line}")
        return found

    # -- what the office has ------------------------------------------------------------------------------------

    def cli(self, *arguments, password=None):
        """Runs `sekisho --json ...`; its answer as an object. The password goes to standard input."""
        done = subprocess.run([self.bin / "sekisho", "--config", self.settings_path, "--json", *map(str, arguments)],
                              input=(password or "") + "\n", capture_output=True, text=True, env=environment(),
                              timeout=60 * PATIENCE)
        if done.returncode:
            raise CliError(f"sekisho {' '.join(map(str, arguments))}: {done.returncode} {done.stdout}{done.stderr}")
        if REPORT.search(done.stderr):
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)

    def rows(self, *arguments):
        """The rows of a listing, each as an object with the names of its columns."""
        table = self.cli(*arguments)
        return [dict(zip(table["columns"], row)) for row in table["rows"]]

    def add_user(self, name="sato", role="staff", password="kaze-ni-fukarete-42", device="laptop", full_name=None):
        """An account with TOTP and a device; the client has the certificate but is not logged in."""
        self.cli("user", "add", "--name", name, "--full-name", full_name or f"{name} 花子", "--role", role, password=password)
        person = Person(self, name, password)
        person.new_totp()
        if device:
            person.enrol(device)
        return person

    def add_auditor(self, name="auditor"):
        """Recordings are sealed to it: without one no session begins. Its certificate (with its CAs) and key."""
        csr, key, certificate = (self.dir / f"{name}.{kind}.pem" for kind in ("csr", "key", "cert"))
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", key,
            "-out", csr, "-subj", "/CN=auditor")
        self.cli("auditor", "certify", "--name", name, "--csr", csr, "--out", certificate)
        self.auditor = certificate, key
        return self.auditor

    def add_host(self, name, protocol, port, address="127.0.0.1", user=None, password=None, pc_user=None, domain=None,
                 **more):
        """A PC; with user it is granted, with a password the login is kept sealed. Returns its number. The first makes an
        auditor too."""
        if not self.auditor:
            self.add_auditor()
        options = [f"--{key.replace('_', '-')}={value}" for key, value in more.items()]
        self.cli("host", "add", "--name", name, "--protocol", protocol, "--address", address, "--port", port, *options)
        if user:
            self.cli("host", "grant", "--name", name, "--user", user)
        if password is not None:
            extra = [f"--pc-user={pc_user}"] if pc_user else []
            extra += [f"--pc-domain={domain}"] if domain else []
            self.cli("host", "credentials", "--name", name, "--user", user, *extra, password=password)
        return next(h["id"] for h in self.rows("host", "list") if h["name"] == name)


class Person:
    """An account, its TOTP secret and its devices; each has an address of its own, because addresses are throttled."""

    count = 0

    def __init__(self, gateway, name, password):
        self.gateway, self.name, self.password = gateway, name, password
        Person.count += 1
        self.address = f"127.0.{1 + Person.count // 200}.{1 + Person.count % 200}"
        self.totp = None
        self.devices = {}

    def new_totp(self):
        self.totp = client.Totp(self.gateway.cli("user", "totp", "--name", self.name)["totp_secret"])

    def enrol(self, device):
        """Certificate and key from the CLI, as PEM: a PKCS#12 takes a second to make and two to open."""
        pem = self.gateway.dir / f"{self.name}-{device}.pem"
        self.gateway.cli("device", "enrol", "--user", self.name, "--name", device, "--out", pem)
        self.devices[device] = (pem, pem)
        return pem, pem

    def enrol_pkcs12(self, device, password="kago-no-tori-77"):
        """The same from a PKCS#12, taken apart with openssl."""
        base = self.gateway.dir / f"{self.name}-{device}"
        p12, cert, key = (base.with_suffix(s) for s in (".p12", ".cert.pem", ".key.pem"))
        self.gateway.cli("device", "enrol", "--user", self.name, "--name", device, "--out", p12, password=password)
        for out, what in ((cert, ["-clcerts", "-nokeys"]), (key, ["-nocerts", "-noenc"])):
            run("openssl", "pkcs12", "-in", p12, "-passin", "stdin", *what, "-out", out, input=f"{password}\n".encode())
        key.chmod(0o600)
        self.devices[device] = (cert, key)
        return cert, key

    def device_number(self, device):
        return next(d["id"] for d in self.gateway.rows("device", "list")
                    if d["user"] == self.name and d["name"] == device)

    def client(self, device=None):
        cert, key = self.devices[device or next(iter(self.devices))]
        return client.Client(self.gateway.port, client.context(self.gateway.ca, cert, key), source=self.address,
                             address=self.gateway.address)

    def login(self, device=None):
        browser = self.client(device)
        browser.login(self.name, self.password, self.totp)
        return browser


class Case(unittest.TestCase):
    """One gateway for all tests of a class; desktops and servers started with start() end with the class."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.started = []
        cls.failed = True  # until it has started, so that the logs are printed
        cls.gateway = Gateway(**cls.settings)
        cls.addClassCleanup(cls._finish)
        cls.gateway.start()
        cls.failed = False

    @classmethod
    def start(cls, thing):
        """Keeps anything with stop() until the end of the class."""
        cls.started.append(thing)
        return thing

    @classmethod
    def _finish(cls):
        gateway = cls.gateway
        for thing in reversed(cls.started):
            thing.stop()
        clean = gateway.stop()
        reports = gateway.reports()
        broken = not clean or reports or cls.failed
        if broken:
            for path in sorted(gateway.dir.rglob("*.log")):
                print(f"---- {path.relative_to(gateway.dir)}", path.read_text(errors="replace")[-20000:],
                      sep="\n", file=sys.stderr)
        gateway.remove()
        if not clean:
            raise AssertionError("the gateway did not stop by itself, or left processes behind")
        if reports:
            raise AssertionError("sanitizer reports:\n" + "\n".join(reports[:20]))

    def tearDown(self):
        outcome = self._outcome
        errors = outcome.result.errors + outcome.result.failures
        if any(case is self for case, _ in errors):
            type(self).failed = True


def skip(reason):
    """For what this machine lacks."""
    raise unittest.SkipTest(reason)


def need_root():
    if not ROOT:
        skip("needs root: it starts servers that log people in")


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            skip(f"needs {program}: deploy/deps test installs it")


def main():
    if not (BUILD / "bin" / "sekishod").exists():
        print(f"no gateway in {BUILD}: build it first", file=sys.stderr)
        sys.exit(1)
    program = unittest.main(module="__main__", verbosity=2, exit=False, catchbreak=True, warnings="ignore")
    result = program.result
    if result.wasSuccessful() and result.skipped and len(result.skipped) >= result.testsRun:
        print("skipped:", "; ".join(sorted({reason for _, reason in result.skipped})))
        sys.exit(SKIPPED)
    sys.exit(0 if result.wasSuccessful() else 1)
