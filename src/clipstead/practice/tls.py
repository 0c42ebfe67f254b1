"""A certificate authority of our own and one certificate for every host of the practice world."""

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_NAME, CA_KEY_NAME, LEAF_NAME = "practice-ca.pem", "practice-ca.key", "practice-leaf.pem"
_DAY = datetime.timedelta(days=1)
_CA_DAYS, _LEAF_DAYS = 365, 90


def authority(folder: Path, hosts: tuple[str, ...]) -> tuple[Path, ssl.SSLContext]:
    """The CA's certificate file in `folder` (kept from one run to the next) and a server context for `hosts`."""
    ca, key = _kept(folder) or _new_authority(folder)
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    names += [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = (
        _builder("practice world", ca.subject, leaf_key.public_key(), _LEAF_DAYS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / LEAF_NAME, _pem(leaf_key) + leaf.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / LEAF_NAME)
    context.set_alpn_protocols(["http/1.1"])
    return folder / CA_NAME, context


def _kept(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
    """The CA of an earlier run, if it is whole and lives longer than a leaf."""
    try:
        ca = x509.load_pem_x509_certificate((folder / CA_NAME).read_bytes())
        key = serialization.load_pem_private_key((folder / CA_KEY_NAME).read_bytes(), None)
    except (OSError, ValueError):
        return None
    alive = ca.not_valid_after_utc > datetime.datetime.now(datetime.UTC) + _LEAF_DAYS * _DAY
    return (ca, key) if alive and isinstance(key, ec.EllipticCurvePrivateKey) else None


def _new_authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name("Clipstead practice world CA")
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    ca = (
        _builder("Clipstead practice world CA", subject, key.public_key(), _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / CA_KEY_NAME, _pem(key))
    _write(folder / CA_NAME, ca.public_bytes(serialization.Encoding.PEM))
    return ca, key


def _builder(name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + days * _DAY)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain)


def _write(path: Path, data: bytes) -> None:
    """Write a file that nobody else may read, from its first byte on."""
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_bytes(data)
