"""TLS for a run: certificates made on the fly, a context for each end, and the log of the keys.

The certificates are trustme's: an authority and one certificate for localhost, made once a process
and trusted by nobody else (a worker process is given those of its parent, so that it needs no
trustme). The client verifies as any client does, authority and name; nothing here turns a check
off. With the keys the tap reads what was encrypted. OpenSSL writes them to a file only
(ssl.SSLContext.keylog_filename), so a recorded run has a temporary one, which is gone when it is.
"""

from __future__ import annotations

import functools
import os
import ssl
import tempfile

NAMES = ("localhost", "127.0.0.1")
Identity = dict[str, str]  # PEM: "authority" (certificate), "server" (private key and chain)

_adopted: Identity = {}


def identity() -> Identity:
    """The authority and the server's certificate of this process."""
    return _adopted or _make()


def adopt(given: Identity) -> None:
    """Use these from now on, instead of making some."""
    _adopted.update(given)


@functools.cache
def _make() -> Identity:
    try:
        import trustme
    except ImportError:
        raise ImportError(
            "tls=True needs trustme, which makes the certificates and is not installed here: "
            "pip install trustme"
        ) from None
    authority = trustme.CA(organization_name="labkit")
    server = authority.issue_cert(*NAMES)
    return {
        "authority": authority.cert_pem.bytes().decode(),
        "server": server.private_key_and_cert_chain_pem.bytes().decode(),
    }


class Tls:
    """The TLS of one run: Python's default context for each end, and the log of the keys."""

    def __init__(self) -> None:
        pems = identity()
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        _load(server, pems["server"])
        client = ssl.create_default_context(cadata=pems["authority"])
        self.contexts = {"server": server, "client": client}
        self.path: str | None = None

    def log_keys(self) -> None:
        """Let OpenSSL write down the keys of every connection from now on."""
        handle, self.path = tempfile.mkstemp(prefix="labkit-keys-")
        os.close(handle)
        self.contexts["server"].keylog_filename = self.path

    def close(self) -> str:
        """Stop writing down keys and remove the file; returns what was in it."""
        if self.path is None:
            return ""
        path, self.path = self.path, None
        try:
            self.contexts["server"].keylog_filename = None  # type: ignore[assignment]  # closes it
            with open(path, encoding="ascii") as file:
                return file.read()
        finally:
            os.remove(path)


def _load(context: ssl.SSLContext, pem: str) -> None:
    """Give a context its key and certificate, which OpenSSL reads from files only."""
    handle, path = tempfile.mkstemp(prefix="labkit-cert-")
    try:
        with open(handle, "w", encoding="ascii") as file:
            file.write(pem)
        context.load_cert_chain(path)
    finally:
        os.remove(path)
