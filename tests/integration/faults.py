"""Sessions and orders that go on while something fails, and what must be left of them afterwards (docs/recording.md,
"What a fault leaves")."""

import collections
import json
import mmap
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

import client
import desktops
import harness
import recordings
import sessions
import stream

GREEN, AMBER, RED = 0, 4, 5
DURABLE_S = 2  # what is older is on the disk
# The same seed makes the same choices; the moments are the machine's. Longer by night: SEKISHO_FAULT_ROUNDS=200.
SEED = int(os.environ.get("SEKISHO_FAULT_SEED", "5"))


def rounds(usual):
    return int(os.environ.get("SEKISHO_FAULT_ROUNDS", usual))


def dice(name):
    """Random choices, which a failure's log names."""
    print(f"SEKISHO_FAULT_SEED={SEED} {name}", file=sys.stderr)
    return random.Random(f"{SEED} {name}")


class Watcher(stream.Viewer):
    """Takes frames in a thread of its own, and knows when each was there; pictures are of no interest."""

    def __init__(self, browser, session):
        self.seen = []  # (monotonic seconds, sequence, time_us)
        self.ended = threading.Event()
        super().__init__(browser, session)
        self.until("a frame", lambda: self.seen, 30)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _take(self, name, values, size):
        if name != "frame":
            return super()._take(name, values, size)
        self.seen.append((time.monotonic(), values["sequence"], values["time_us"]))
        self.send("ack", sequence=values["sequence"], decode_us=100)

    def _read(self):
        try:
            while not self.ended.is_set():
                self.step()
        except (client.Closed, OSError):
            pass
        self.ended.set()

    def before(self, moment):
        """The frames that it had by then."""
        return [frame[1:] for frame in self.seen if frame[0] < moment]

    def stop(self):
        self.ended.set()
        self.thread.join()
        self.socket.drop()


class Orders:
    """An administrator who changes something all the time, and knows what was answered: the days of a class of recordings,
    each time others."""

    def __init__(self, gateway):
        self.gateway, self.count = gateway, 0
        self.answered = []  # (monotonic seconds, days)
        self.note = lambda: None  # is called behind each answer; what it gives is kept beside it
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self):
        while not self.ended.is_set():
            self.count += 1
            try:
                self.gateway.cli("retention", "set", "--class", "often", "--days", self.count)
                self.answered.append((self.note(), self.count))
            except (harness.CliError, OSError):
                self.ended.wait(0.1)  # nobody is there to take it

    def stop(self):
        self.ended.set()
        self.thread.join()


def entered(path):
    """The days of each such order, as a database's log has them."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as db:
        details = [json.loads(row[0]) for row in db.execute("SELECT detail FROM audit WHERE event = 'retention-set' ORDER BY seq")]
    db.close()
    return [detail["days"] for detail in details if detail["class"] == "often"]


def marks(path, session):
    """A recording's marks, as the verifier reads them."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as db:
        found = [row[0] for row in db.execute(
            "SELECT detail FROM audit WHERE event = 'recording-mark' AND session = ? ORDER BY seq", (session,))]
    db.close()
    return found


def copy_log(state, target):
    """The log's database as it lies on the disk, and what its log of writes has."""
    target.mkdir(exist_ok=True)
    for name in ("sekisho.db", "sekisho.db-wal"):
        (target / name).unlink(missing_ok=True)
        if (state / "broker" / name).exists():
            shutil.copy(state / "broker" / name, target / name)
    return target / "sekisho.db"


def ask_for_checkpoint(gateway):
    """A new signer is asked for one at once."""
    os.kill(gateway.pid("signer"), signal.SIGTERM)


def sekisho(*arguments):
    """A command that needs no gateway: exit code and answer."""
    done = subprocess.run([harness.BUILD / "bin" / "sekisho", *map(str, arguments), "--json"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60 * harness.PATIENCE, env=harness.environment(), check=False)
    assert not harness.REPORT.search(done.stderr), done.stderr
    return done.returncode, json.loads(done.stdout)


def verify_log(path, key, *more):
    return sekisho("audit", "verify", "--file", path, "--key", key, *more)


def verify_recording(path, log, folder, key=None, certificate=None):
    """Against the marks that this database has."""
    lines = folder / f"{path.stem}.marks"
    lines.write_text("".join(line + "\n" for line in marks(log, path.stem)))
    arguments = ["--key", key, "--cert", certificate] if key else []
    arguments += ["--marks", lines] if lines.stat().st_size else []
    return sekisho("recording", "verify", "--file", path, *arguments)


def whole_chunks(data):
    """The DER of each chunk up to where it breaks off."""
    found = []
    try:
        for der in recordings.split(data):
            found.append(der)
    except recordings.Wrong:
        pass
    return found


def frames_in(path, key_file):
    """(sequence, time_us) of every frame that was sent, as another reader finds them; fails where a chunk does not open."""
    key = recordings.serialization.load_pem_private_key(key_file.read_bytes(), None)
    chunks = [recordings.parse(recordings.unseal(der, key)[0]) for der in whole_chunks(path.read_bytes())]
    found = set()
    for _, payload in recordings.payloads(chunks, recordings.SENT):
        name, values = stream.decode(payload)
        if name == "frame":
            found.add((values["sequence"], values["time_us"]))
    return found


class Case(sessions.Case):
    """A PC on which something happens all the time."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pc = cls.start(desktops.BareVnc(cls.gateway.dir / "pc", size=(640, 400)))
        # To the gateway these are three PCs, each with a session of its own.
        cls.numbers = [cls.host_for(cls.pc, f"pc{i}", security="none") for i in range(3)]
        cls.certificate, cls.key = cls.gateway.auditor
        cls.start(cls.pc.x.start("sh", "-c", "while sleep 0.1; do xsetroot -solid \"#$(od -An -N3 -tx1 /dev/urandom | tr -d ' ')\"; done"))
        cls.state = cls.gateway.dir / "state"
        cls.vkey = cls.gateway.dir / "kept-key"
        cls.vkey.write_text(cls.gateway.cli("audit", "key")["key"] + "\n")

    @property
    def log_path(self):
        return self.state / "broker" / "sekisho.db"

    def file_of(self, session, state=None):
        return (state or self.state) / "recordings" / f"{session}.skr"

    def watch(self, number):
        """The session on one of the PCs, a new one when there is none."""
        watcher = Watcher(self.browser, self.open(self.numbers[number]))
        watcher.number = number
        self.addCleanup(watcher.stop)
        return watcher

    def row(self, session):
        return next(row for row in self.gateway.rows("recording", "list") if row["session"] == session)

    def until_over(self, session):
        """Until the gateway says what became of the recording: ended or cut, never lost."""
        row = harness.until(f"the end of {session}", lambda: (row := self.row(session))["recording"] != "open" and row, 60)
        self.assertIn(row["recording"], ("ended", "cut"))
        return row

    def check_recording(self, session, shown=()):
        """That it is whole or cut, in the verifier's eyes and in another reader's, and has these frames."""
        path = self.file_of(session)
        code, answer = verify_recording(path, self.log_path, self.gateway.dir, self.key, self.certificate)
        self.assertIn(answer["verdict"], ("intact", "cut"), answer)
        self.assertEqual(code, GREEN if answer["verdict"] == "intact" else AMBER)
        missing = set(shown) - frames_in(path, self.key)
        self.assertFalse(missing, f"{len(missing)} of {len(shown)} frames are not in the recording, which is {answer['verdict']}")
        return answer

    def check_log(self, path=None):
        code, answer = verify_log(path or copy_log(self.state, self.gateway.dir / "copy"), self.vkey)
        self.assertIn(answer["finding"], ("sound", "unanchored"), answer)
        return answer

    def check_orders(self, answered, path=None):
        there = entered(path or self.log_path)
        self.assertEqual(len(there), len(set(there)), "an order was entered twice")
        missing = {days for _, days in answered} - set(there)
        self.assertFalse(missing, f"orders that were answered, and are not in the log: {sorted(missing)}")


# ---- below the processes -----------------------------------------------------------------------------------------


ROLES = ("broker", "worker", "signer", "vault", "edge")
WRITE, SYNC, TRUNCATE, RENAME, FALLOCATE = range(1, 6)
NOTE = struct.Struct("<IIQQQ")
CONTROL_SIZE, ROOM = 4096, 1 << 30
AT_CLOCK, AT_END, AT_TRACING, AT_FAIL, AT_FAILED = 0, 8, 16, 20, 20 + 4 * 64

Note = collections.namedtuple("Note", "end op role inode offset data len")


class Seam:
    """What preload_faults.c does below each process of the gateways that start while it is there."""

    def __init__(self):
        library = harness.BUILD / "tests" / "preload-faults.so"
        if not library.exists():
            raise AssertionError(f"{library} is not built")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-seam-"))
        self.folder.chmod(0o755)
        shutil.copy(library, self.folder)
        path = self.folder / "control"
        with open(path, "wb") as file:
            file.truncate(ROOM)  # with holes
        path.chmod(0o666)
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), ROOM)
        self._put("<Q", AT_END, CONTROL_SIZE)
        os.environ["SEKISHO_WRAP"] = (f"env LD_PRELOAD={self.folder / library.name} FAULTS_CONTROL={path} "
                                      "ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0")
        os.environ["SEKISHO_WRAP_ROLES"] = " ".join((*ROLES, "probe"))

    def _put(self, form, at, value):
        struct.pack_into(form, self.memory, at, value)

    def set_clock(self, seconds):
        self._put("<q", AT_CLOCK, seconds)

    def fail(self, role, op, error):
        """error: of errno; 0: it works again. How often the role was told so from now on says failed()."""
        at = 4 * (8 * ROLES.index(role) + op)
        self._put("<i", AT_FAILED + at, 0)
        self._put("<i", AT_FAIL + at, error)

    def failed(self, role, op):
        return struct.unpack_from("<i", self.memory, AT_FAILED + 4 * (8 * ROLES.index(role) + op))[0]

    def trace(self):
        self._put("<i", AT_TRACING, 1)

    def end(self):
        """How much is put down by now."""
        return struct.unpack_from("<Q", self.memory, AT_END)[0]

    def notes(self, end):
        """What was put down before end, in its order."""
        at = CONTROL_SIZE
        while at < end:
            op, role, inode, offset, length = NOTE.unpack_from(self.memory, at)
            assert op, "a note is not whole"
            size = length if op in (WRITE, RENAME) else 0
            data = self.memory[at + NOTE.size:at + NOTE.size + size]
            at += (NOTE.size + size + 7) & ~7
            yield Note(at, op, ROLES[role], inode, offset, data, length)

    def stop(self):
        del os.environ["SEKISHO_WRAP"], os.environ["SEKISHO_WRAP_ROLES"]
        shutil.rmtree(self.folder)


class File:
    """What is on the disk for certain, and what was written after it."""

    def __init__(self):
        self.durable, self.pending = bytearray(), []

    def take(self, note):
        if note.op == SYNC:
            for late in self.pending:
                self.apply(self.durable, late)
            self.pending = []
        elif note.op in (WRITE, TRUNCATE):
            self.pending.append(note)

    @staticmethod
    def apply(data, note, size=None):
        if note.op == TRUNCATE:
            del data[note.offset:]
            return
        piece = note.data[:size]
        if len(data) < note.offset:
            data.extend(bytes(note.offset - len(data)))
        data[note.offset:note.offset + len(piece)] = piece

    def after_power_loss(self, dice):
        """Of what was not waited for all may be there, or some of it in any order, a part, or only its length."""
        data = bytearray(self.durable)
        for note in self.pending:
            chance = dice.random()
            if chance < 0.4:
                self.apply(data, note)
            elif chance < 0.6:
                self.apply(data, note, 512 * dice.randrange(len(note.data) // 512 + 1))
            elif chance < 0.7 and note.op == WRITE and len(data) < note.offset + note.len:
                data.extend(bytes(note.offset + note.len - len(data)))
        return bytes(data)
