"""Reads what processes cost from /proc, and drives the viewer that has no screen."""

import contextlib
import json
import os
import pathlib
import select
import subprocess
import time

import harness
import works

VIEWER = works.TOOLS / "bench-viewer"
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """All threads, also those that ended; 0 for a process that is gone."""
    try:
        return time.clock_gettime((~pid << 3) | 2)  # the process's clock, as clock_getcpuclockid(3) makes its number
    except OSError:
        return 0.0


def user_system(pid):
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, 0.0
    return int(fields[11]) / TICK, int(fields[12]) / TICK


def recorder_and_all(workers):
    """CPU seconds of the workers' threads that record, and of all their threads."""
    tasks = [task for pid in workers for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]
    recorders = [task for task in tasks if (task / "comm").read_text().strip() == "recorder"]
    return (sum(int((task / "schedstat").read_text().split()[0]) for task in recorders) / 1e9,
            sum(map(cpu_seconds, workers)))


def pss_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no Pss of {pid}")


class Cost:
    """CPU of groups of processes between two moments. groups: {name: function that gives pids}."""

    def __init__(self, groups):
        self.groups = groups
        self.before = self._sample()
        self.begin = time.monotonic()

    def _sample(self):
        return {name: {pid: (cpu_seconds(pid), *user_system(pid)) for pid in pids()}
                for name, pids in self.groups.items()}

    def end(self):
        """{name: {percent, user, system}} of one core."""
        elapsed, after = time.monotonic() - self.begin, self._sample()
        result = {}
        for name, pids in after.items():
            sums = [sum(now[i] - self.before[name].get(pid, (0, 0, 0))[i] for pid, now in pids.items())
                    for i in range(3)]
            result[name] = dict(zip(("percent", "user", "system"), (round(100 * s / elapsed, 2) for s in sums)))
        return result


class Viewer:
    """bench-viewer; each command is answered with a line."""

    def __init__(self, log, *arguments, **env):
        self.log = open(log, "ab")
        self.child = subprocess.Popen([VIEWER, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=self.log, env=harness.environment(**env), start_new_session=True)
        self.rest = b""
        try:
            self.width, self.height = map(int, self._line(30).split()[1:])
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self):
        return self.child.pid

    def _line(self, seconds):
        end = time.monotonic() + seconds * harness.PATIENCE
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.child.stdout], [], [], max(0, end - time.monotonic()))
            data = os.read(self.child.stdout.fileno(), 1 << 16) if ready else b""
            if not data:
                raise AssertionError("the viewer " + ("ended" if ready else "does not answer") + ": " +
                                     pathlib.Path(self.log.name).read_text(errors="replace")[-500:])
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()

    def tell(self, command):
        try:
            self.child.stdin.write(command.encode() + b"\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            raise AssertionError("the viewer ended: " + pathlib.Path(self.log.name).read_text(errors="replace")[-500:]) from None

    def ask(self, command):
        self.tell(command)
        return self._line(20)

    def figures(self):
        return json.loads(self.ask("stop"))

    def stop(self):
        with contextlib.suppress(BrokenPipeError):
            self.child.stdin.close()
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()
        self.log.close()


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def figures(viewers, groups, work, seconds):
    """Lets the viewers do their work for so long; one row of figures for all of them."""
    for viewer in viewers:
        viewer.ask(f"start {work.act} {work.every_ms}")
    cost = Cost({**groups, "viewer": lambda: [v.pid for v in viewers]})
    time.sleep(seconds)
    cpu = cost.end()
    results = [viewer.figures() for viewer in viewers]
    # What a person saw: pictures of the program where it marks them, else refreshes of a 60 Hz screen.
    frames = sum(r["marks" if work.app.marked else "shown"] for r in results)
    received = sum(r["bytes"] for r in results)
    elapsed = sum(r["seconds"] for r in results) / len(results)
    latencies = [value for r in results for value in r["latencies_ms"]]
    row = {
        "seconds": round(elapsed, 3), "messages": sum(r["frames"] for r in results), "frames": frames, "fps": round(frames / elapsed / len(viewers), 2),
        "bytes": received, "kb_s": round(received / elapsed / 1000, 2), "cpu": cpu,
        "kb_frame": round(received / frames / 1000, 2) if frames else None,
        "inputs": sum(r["inputs"] for r in results), "answers": len(latencies),
    }
    if work.act == "type":
        row["p50"], row["p95"] = percentile(latencies, 0.5), percentile(latencies, 0.95)
    return row
