"""Secrets that a test plants, and the search for them in everything that is on a disk."""

import base64
import os
import pathlib
import random
import sqlite3
import urllib.parse

# Rare enough that no other file has four of them in a row by chance.
RARE = "龗黛鸞鵺鯱鰐驪饕霹靂闥鑰釁邂跋躑贔譁蟷蜻蛟薔蕣葎艸縹竈穹睚癨璞獏熹漣桎櫛曖惶恫弩巒"
SIZE_MAX = 256 << 20


def personal_number():
    """Twelve digits, the last of which is the check digit (ordinance no. 85 of 2014, article 5)."""
    digits = [random.randrange(10) for _ in range(11)]
    total = sum(digit * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(reversed(digits), 1))
    return "".join(map(str, digits)) + str(0 if total % 11 <= 1 else 11 - total % 11)


def name():
    return "".join(random.choices(RARE, k=4))


def forms(secret):
    """The secret and the encodings in which it could hide."""
    if isinstance(secret, bytes):
        texts, raw = [], [secret]
    else:
        texts = [secret]
        if secret.isdigit():
            texts += [separator.join(secret[at:at + 4] for at in range(0, len(secret), 4)) for separator in (" ", "-")]
            texts.append(secret.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)}))
        texts += [secret.encode("unicode_escape").decode(), urllib.parse.quote(secret)]
        raw = [text.encode(coding, "ignore") for text in texts for coding in ("utf-8", "utf-16-le", "utf-16-be", "cp932")]
    first = raw[0]
    found = {*raw, first.hex().encode(), first.hex().upper().encode()}
    # Base64 at each of the three alignments, without the characters that depend on the neighbours.
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + first)
        found.add(text[4 if shift else 0:-4])
    return {form for form in found if len(form) >= 6}


def rows_of(path):
    """All that a database has, as text: what is in pieces in its file is whole here."""
    if not path.open("rb").read(15).startswith(b"SQLite format 3"):
        return b""
    with sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) as db:
        return "\n".join(db.iterdump()).encode("utf-8", "surrogateescape")


class Search:
    def __init__(self, secrets):
        self.forms = [(what, form) for what, secret in secrets.items() for form in forms(secret)]

    def data(self, data):
        return {what for what, form in self.forms if form in data}

    def files(self, paths):
        """{path: what of the secrets is in it}."""
        found = {}
        for path in paths:
            try:
                if not path.is_file() or path.is_symlink() or path.stat().st_size > SIZE_MAX:
                    continue
                what = self.data(path.read_bytes()) | self.data(str(path).encode())
                if path.suffix == ".db":
                    what |= self.data(rows_of(path))
            except OSError:
                continue  # another's, which goes while we look
            if what:
                found[path] = what
        return found


def newer(folder, time):
    """Files in the folder that were written since then, and all in what was made there since then."""
    def late(path):
        try:
            return os.lstat(path).st_ctime >= time
        except OSError:
            return False  # another's, which goes while we look
    for path in pathlib.Path(folder).glob("*"):
        if late(path) and path.is_dir() and not path.is_symlink():
            yield from (pathlib.Path(inner, name) for inner, _, names in os.walk(path) for name in names)
        elif late(path):
            yield path
