"""Makes certificates with any CA's key, as a thief of it or a careless administrator would."""

import subprocess

LEAF = "keyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\n"
CLIENT = "extendedKeyUsage=clientAuth\n" + LEAF
SERVER = "extendedKeyUsage=serverAuth\n" + LEAF
CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
# What openssl ca needs; a subject is taken as it is asked for.
CONFIG = """[ca]
default_ca = office
[office]
database = {0}/index.txt
new_certs_dir = {0}
serial = {0}/serial
default_md = sha256
policy = any
unique_subject = no
[any]
organizationName = optional
organizationalUnitName = optional
commonName = supplied
"""


def openssl(*arguments, **kw):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60, **kw).stdout


def add(pair, *certificates):
    """The pair, whose certificate is shown with others."""
    pair[0].write_bytes(pair[0].read_bytes() + b"".join(path.read_bytes() for path in certificates))
    return pair


class Forge:
    """Pairs are (certificate, key), paths of PEM files."""

    def __init__(self, folder):
        self.dir = folder
        folder.mkdir()
        (folder / "index.txt").touch()
        (folder / "serial").write_text("77000001\n")
        (folder / "ca.cnf").write_text(CONFIG.format(folder))

    def own(self, name, subject=None):
        """A CA of its own, or a self-signed certificate."""
        cert, key = self.dir / f"{name}.crt", self.dir / f"{name}.key"
        openssl("req", "-x509", "-utf8", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj",
                subject or f"/CN={name}", "-days", 5, "-keyout", key, "-out", cert)
        return cert, key

    def issue(self, name, issuer, extensions=CLIENT, start="20200101000000Z", end="20991231000000Z", subject=None, key=None):
        """key: of an existing pair, or of what kind a new one is, as "rsa:2048"."""
        cert, csr, ext = (self.dir / f"{name}.{s}" for s in ("crt", "csr", "ext"))
        made = self.dir / f"{name}.key"
        if isinstance(key, str):
            new = ["-newkey", key, "-noenc", "-keyout", made]
        elif key:
            made, new = key, ["-key", key]
        else:
            new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", made]
        openssl("req", "-new", "-utf8", *new, "-subj", subject or f"/CN={name}", "-out", csr)
        ext.write_text(extensions)
        openssl("ca", "-batch", "-notext", "-utf8", "-preserveDN", "-config", self.dir / "ca.cnf", "-cert", issuer[0], "-keyfile",
                issuer[1], "-in", csr, "-extfile", ext, "-startdate", start, "-enddate", end, "-out", cert)
        return cert, made
