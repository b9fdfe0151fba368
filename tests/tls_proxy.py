"""TLS in front of a server that speaks none, with a certificate of our own for localhost."""

from __future__ import annotations

import contextlib
import datetime
import select
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from listening import listening


def make_certificate(folder: Path) -> Path:
    """A file with a key and the certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "localhost.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


#: How a client of PostgreSQL asks whether TLS is spoken, and is told that it is.
_POSTGRES_ASKS, _POSTGRES_AGREES = bytes.fromhex("0000000804d2162f"), b"S"


@contextlib.contextmanager
def tls_in_front_of(
    port: int, certificate: Path, *, postgres: bool = False, clients: Path | None = None
) -> Iterator[int]:
    """A loopback port that speaks TLS and passes on to `port`.

    Parameters
    ----------
    port, certificate
        Where to, and the server's key and certificate.
    postgres
        TLS begins as PostgreSQL's does: once it is asked for.
    clients
        Only clients get in that have this certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)

    def talk(connection: socket.socket) -> None:
        if postgres:
            if connection.recv(len(_POSTGRES_ASKS), socket.MSG_WAITALL) != _POSTGRES_ASKS:
                return  # who asks for none is let in nowhere
            connection.sendall(_POSTGRES_AGREES)
        outer = context.wrap_socket(connection, server_side=True)
        with outer, socket.create_connection(("127.0.0.1", port)) as inner:
            pass_on(outer, inner)

    with listening(talk) as own:
        yield own


def pass_on(outer: ssl.SSLSocket, inner: socket.socket) -> None:
    """Copy both ways until either end is closed; one thread, as OpenSSL wants it."""
    while True:
        ready = [outer] if outer.pending() else select.select([outer, inner], [], [])[0]
        for source in ready:
            data = source.recv(65536)
            if not data:
                return
            (inner if source is outer else outer).sendall(data)
