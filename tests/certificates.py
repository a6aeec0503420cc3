"""Certificates for services on this machine, which whoever asks trusts, or does not."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: Who trusts a certificate is said by the variable that OpenSSL reads.
TRUSTED = "SSL_CERT_FILE"


def certificate(folder: Path, *, ends: datetime) -> Path:
    """A file with a key, and a certificate of 127.0.0.1 and name.invalid that is valid until it `ends`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begins = min(datetime.now(UTC), ends) - timedelta(days=90)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("name.invalid")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    plain, pem = serialization.NoEncryption(), serialization.Encoding.PEM
    text = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem)
    file.write_bytes(text)
    return file


def authority(folder: Path) -> tuple[Path, Path]:
    """A root that nobody knows, as a file of its own, and what a server on 127.0.0.1 has that was certified by it."""
    folder.mkdir(parents=True, exist_ok=True)
    root, name = ec.generate_private_key(ec.SECP256R1()), f"Root {uuid4()}"
    own = _certified(name, name, root.public_key(), root, ca=True)
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = _certified("127.0.0.1", name, key.public_key(), root, ca=False)
    plain, pem = serialization.NoEncryption(), serialization.Encoding.PEM
    roots, server = folder / "roots.pem", folder / "server.pem"
    roots.write_bytes(own.public_bytes(pem))
    server.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + leaf.public_bytes(pem))
    return roots, server


def _certified(
    subject: str, issuer: str, key: ec.EllipticCurvePublicKey, by: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    named = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    made = (
        x509.CertificateBuilder()
        .subject_name(named[0])
        .issuer_name(named[1])
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("name.invalid")])
        made = made.add_extension(names, critical=False)
    return made.sign(by, hashes.SHA256())


def serving_with(file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context
