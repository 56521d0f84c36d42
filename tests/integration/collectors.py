"""Collectors of the audit log in tests: Debian's rsyslog, and some that misbehave."""

import json
import pathlib
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading

import harness

HEADER = re.compile(r"<(\d+)>1 (\S+) (\S+) (\S+) (\S+) (\S+) (\[[^]]*\]) (.*)", re.S)


class Authority:
    """A CA and what it issues, in a folder that all may read."""

    def __init__(self, folder, name="collector"):
        self.dir = pathlib.Path(folder) / name
        self.dir.mkdir(mode=0o755)
        self.key, self.cert = self.dir / "ca-key.pem", self.dir / "ca.pem"
        harness.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", self.key,
                    "-out", self.cert, "-days", "30", "-subj", f"/CN={name} CA")
        self.cert.chmod(0o644)

    def issue(self, name, days=30, subject="localhost", names=None):
        """(certificate, key); days below 0: over. names: instead of the subject's own, "" for none."""
        names = f"DNS:{subject}" if names is None else names
        csr, key, cert = (self.dir / f"{name}.{kind}.pem" for kind in ("csr", "key", "cert"))
        harness.run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", key,
                    "-out", csr, "-subj", f"/CN={subject}", *(("-addext", f"subjectAltName={names}") if names else ()))
        times = ["-days", str(days)]
        if days < 0:  # `openssl x509` has no other way to the past than a CA's database
            (self.dir / "index.txt").write_text("")
            config = self.dir / "ca.cnf"
            config.write_text(f"[ca]\ndefault_ca=c\n[c]\ndatabase={self.dir}/index.txt\nnew_certs_dir={self.dir}\nrand_serial=yes\n"
                              "default_md=sha256\npolicy=p\ncopy_extensions=copy\nunique_subject=no\n[p]\ncommonName=supplied\n")
            harness.run("openssl", "ca", "-batch", "-config", config, "-cert", self.cert, "-keyfile", self.key, "-in", csr, "-out",
                        cert, "-notext", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
        else:
            harness.run("openssl", "x509", "-req", "-in", csr, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-copy_extensions",
                        "copy", "-out", cert, *times)
        for path in (key, cert):
            path.chmod(0o644)
        return cert, key

    def folder(self, name, ours=None):
        """For siem.certificate_dir: our CA, and with ours a certificate for the gateway."""
        folder = self.dir / name
        folder.mkdir(mode=0o755, exist_ok=True)
        self.install(folder, ours)
        return folder

    def install(self, folder, ours=None):
        for path, text in [("ca.pem", self.cert), *zip(("cert.pem", "key.pem"), ours or ())]:
            (folder / path).write_bytes(text.read_bytes())
            (folder / path).chmod(0o644)


class Rsyslog:
    """What it has is in a file, a line for each message. queue: Direct writes before it reads on."""

    def __init__(self, folder, port, pair, ca, driver="gtls", queue="Direct", client="anon"):
        self.dir = pathlib.Path(folder)
        self.file, self.port = self.dir / "audit.log", port
        self.config = self.dir / "rsyslog.conf"
        self.process = None
        self.configure(pair, ca, driver, queue, client)

    def configure(self, pair, ca, driver="gtls", queue="Direct", client="anon"):
        cert, key = pair
        self.config.write_text(f"""
            global(workDirectory="{self.dir}" defaultNetstreamDriver="{driver}" defaultNetstreamDriverCAFile="{ca}"
                   defaultNetstreamDriverCertFile="{cert}" defaultNetstreamDriverKeyFile="{key}")
            main_queue(queue.type="{queue}")
            module(load="imtcp" StreamDriver.Name="{driver}" StreamDriver.Mode="1" StreamDriver.AuthMode="{client}")
            template(name="raw" type="string" string="%rawmsg%\\n")
            ruleset(name="audit") {{ action(type="omfile" file="{self.file}" template="raw") }}
            input(type="imtcp" address="127.0.0.1" port="{self.port}" ruleset="audit")
            """)

    def start(self):
        self.process = harness.Process(["/usr/sbin/rsyslogd", "-n", "-f", self.config, "-i", self.dir / "rsyslog.pid"],
                                       self.dir / "rsyslog.out")
        harness.until("rsyslog to listen", self.listens)
        return self

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        if self.process:
            self.process.stop()
        self.process = None

    def kill(self):
        self.process.child.send_signal(signal.SIGKILL)
        self.process.child.wait()
        self.process = None

    def lines(self):
        return self.file.read_text().splitlines() if self.file.exists() else []

    def events(self):
        return [json.loads(HEADER.fullmatch(line).group(8)) for line in self.lines()]

    def numbers(self):
        return [int(re.search(r'sequenceId="(\d+)"', line).group(1)) for line in self.lines()]


class Strange:
    """A collector with TLS that does with each connection what serve(tls) says; takes notes of what it read."""

    def __init__(self, port, pair, serve):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*pair)
        self.listener = socket.create_server(("127.0.0.1", port))
        self.serve, self.got, self.open = serve, [], []
        self.served = 0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            try:
                plain.settimeout(5 * harness.PATIENCE)
                tls = self.greet(plain)
                self.open.append(tls)
                self.serve(self, tls)
            except (OSError, ValueError):
                pass
            self.served += 1

    def greet(self, plain):
        return self.context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=True)

    def reset(self, tls):
        tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        tls.close()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self.listener.close()
        for tls in self.open:
            if tls.fileno() >= 0:
                self.reset(tls)
        self.thread.join()


class Leaving(Strange):
    """Says hello and goodbye in one breath, and lets its kernel take what comes then."""

    def greet(self, plain):
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2  # in which the server's is the last word of the handshake
        said, heard = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(heard, said, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(said.read())
                heard.write(plain.recv(65536))
        try:
            tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        plain.sendall(said.read())
        plain.shutdown(socket.SHUT_WR)
        return plain


def numbers_in(data):
    """Of whole frames, as octet counting has them."""
    found = []
    while b" " in data:
        length, _, rest = data.partition(b" ")
        if len(rest) < int(length):
            break
        frame, data = rest[:int(length)], rest[int(length):]
        found.append(int(frame.split(b'sequenceId="')[1].split(b'"')[0]))
    return found


def read_all(collector, tls):
    """As it should be: to our end, then its own."""
    data = b""
    while chunk := tls.recv(65536):
        data += chunk
    collector.got += numbers_in(data)
    tls.close()


class Case(harness.Case):
    """A gateway that sends its log to port; the collector is the test's."""

    settings = {}
    subject = "localhost"  # of the collector's certificate
    timeout = 2

    @classmethod
    def setUpClass(cls):
        cls.started, cls.failed = [], True
        cls.gateway = harness.Gateway()
        cls.addClassCleanup(cls._finish)
        cls.authority = Authority(cls.gateway.dir)
        cls.pair = cls.authority.issue("server", subject=cls.subject)
        cls.folder = cls.authority.folder("trusted")
        cls.port = harness.free_port()
        cls.gateway.configure(siem_address="localhost", siem_port=cls.port, siem_certificate_dir=cls.folder, siem_retry_seconds=1,
                              siem_timeout_seconds=cls.timeout, siem_warn_minutes=0, **cls.settings)
        cls.gateway.start()
        cls.failed = False
        cls.people = 0

    @classmethod
    def rsyslog(cls, **more):
        return cls.start(Rsyslog(cls.authority.dir, cls.port, cls.pair, cls.authority.cert, **more).start())

    def happen(self, times=1):
        """So many entries of the log."""
        for _ in range(times):
            type(self).people += 1
            self.gateway.cli("user", "add", "--name", f"p{self.people}", "--full-name", "山田 太郎", password="kaze-ni-fukarete-42")

    def newest(self):
        return self.gateway.rows("audit", "list", "--last", "1")[-1]["seq"]

    def status(self):
        return self.gateway.cli("siem", "status")

    def caught_up(self, seconds=20):
        """Until the collector has everything that is in the log now."""
        newest = self.newest()
        harness.until(lambda: f"entry {newest} to be delivered: {self.status()}",
                      lambda: self.status()["delivered"] >= newest, seconds)
        return newest

    def trouble(self, *kinds):
        """Until the last try failed for one of these reasons; the status."""
        return harness.until(lambda: f"trouble {kinds}: {self.status()}", lambda: (lambda s: s if s.get("trouble") in kinds else None)(self.status()))

    def expect_nothing_delivered(self, collector, *kinds):
        """It serves two tries, and each fails for one of these reasons."""
        served = collector.served
        try:
            harness.until(lambda: f"tries: {self.status()}", lambda: collector.served >= served + 2)
            status = self.trouble(*kinds)
            self.assertEqual(status["delivered"], 0)
            self.assertTrue(status["hint"] and status["hint_ja"])
        finally:
            collector.stop()

    def expect_all(self, serve):
        """What waits arrives once, now that somebody reads it."""
        collector = Strange(self.port, self.pair, serve)
        try:
            newest = self.caught_up()
        finally:
            collector.stop()
        self.assertEqual(collector.got, list(range(1, newest + 1)))
