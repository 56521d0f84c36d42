"""The table and the file, and which targets were met."""

import os
import pathlib
import platform
import subprocess

COLUMNS = [
    ("work", "work"), ("through", "through"), ("frames/s", "fps"), ("edge %", "edge"), ("worker %", "worker"), ("recorder, % of it", "recorder"),
    ("gateway ms/frame", "cpu_frame"), ("KB/frame", "kb_frame"), ("KB/s", "kb_s"), ("key→pixel p50 ms", "p50"),
    ("p95 ms", "p95"), ("PSS worker MB", "worker_mb"), ("PSS edge MB", "edge_mb"), ("X server %", "xserver"),
    ("program %", "program"), ("viewer %", "viewer"), ("exact after s", "exact_s"), ("wrong pixels", "wrong_pixels"),
]
PACKAGES = ("tigervnc-standalone-server", "xrdp", "chromium", "libreoffice-calc", "websockify", "libwebsockets17",
            "libvncclient1", "libfreerdp3-3", "libzstd1")
MOST = {"cpu": "% of a core", "kb_frame": "KB a frame", "kb_s": "KB/s", "cpu_frame": "ms of CPU a frame",
        "p95": "ms key → pixel, p95", "worker_mb": "MB of a worker", "over_bare_p50": "ms over bare, p50",
        "over_bare_p95": "ms over bare, p95",
        "exact_s": "s until exact"}


def finish(row):
    """Adds the figures that follow from others."""
    for name, cost in row["cpu"].items():
        row[name] = cost["percent"]
    ours = [row[name] for name in ("edge", "worker") if name in row]
    row["total"] = round(sum(ours), 2)
    if row["frames"]:
        row["cpu_frame"] = round(row["total"] * row["seconds"] * 10 / row["frames"], 2)
    return row


def text_of(value):
    if value is None:
        return "–"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def table(rows):
    lines = ["| " + " | ".join(title for title, _ in COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(text_of(row.get(key)) for _, key in COLUMNS) + " |" for row in rows]
    return "\n".join(lines)


def verdicts(works, rows):
    """One line per target: (text, met)."""
    found = []
    for work in works:
        row = next((r for r in rows if (r["work"], r["through"]) == (work.name, "gateway")), None)
        bare = next((r for r in rows if (r["work"], r["through"]) == (work.name, "bare")), None)
        for key, target in work.targets.items() if row else ():
            value = row["total"] if key == "cpu" else row.get(key)
            if key.startswith("over_bare_"):
                part = key.removeprefix("over_bare_")
                known = bare and bare[part] is not None and row[part] is not None
                value = row[part] - bare[part] if known else None
            if value is None:
                continue
            value = float("inf") if value == "never" else value
            met = value >= target if key == "fps" else value <= target
            unit, sign = ("frames/s", "≥") if key == "fps" else (MOST[key], "≤")
            found.append((f"{work.name}: {value:.2f} {unit}, wanted {sign} {target}", met))
    return found


def machine():
    """What the figures depend on."""
    cpu = [line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
           if line.startswith("model name")]
    versions = {}
    for package in PACKAGES:
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout:
            versions[package] = done.stdout
    return {"cpu": cpu[0] if cpu else platform.machine(), "cores": os.cpu_count(), "kernel": platform.release(),
            "load_before": os.getloadavg()[0], "packages": versions}
