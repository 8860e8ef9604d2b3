"""Issues test certificates for any names, without a library for that.

OpenSSL reads certificates and uses keys; the ``ssl`` module of Python cannot sign. So the signature is computed here:
ECDSA on the curve P-256. The authorities are made anew in each process, and their keys are written nowhere.
"""

import functools
import hashlib
import ipaddress
import secrets
import ssl
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from asynctest_tornado._tls import bundled_certificate

__unittest = True

#: The names of the two authorities: clients with `trusting_context` trust the first one.
_KNOWN, _UNKNOWN = "asynctest_tornado network authority", "asynctest_tornado unknown authority"

# P-256, from FIPS 186: y² = x³ - 3x + b, modulo the prime; the base point, and its order.
_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_Point = tuple[int, int] | None

#: The header of a public key on P-256, in DER.
_PUBLIC_KEY = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
_ECDSA_WITH_SHA256 = "300a06082a8648ce3d040302"
_YEARS = ("19700101000000Z", "21260101000000Z")
_EXPIRED_YEARS = ("20000101000000Z", "20010101000000Z")
_BOOLEAN, _INTEGER, _BITS, _OCTETS, _OID, _TEXT, _SEQUENCE, _SET = 0x01, 0x02, 0x03, 0x04, 0x06, 0x0C, 0x30, 0x31
_UTC_TIME, _TIME, _VERSION, _EXTENSIONS, _KEY_ID, _DNS_NAME, _IP_ADDRESS = 0x17, 0x18, 0xA0, 0xA3, 0x80, 0x82, 0x87


@functools.lru_cache(maxsize=64)
def server_context(names: tuple[str, ...], *, is_known: bool = True, is_expired: bool = False) -> ssl.SSLContext:
    """Return the context of a server with a certificate for names.

    :param names: names of hosts, with a wildcard or without, or addresses. The first one is the subject, too.
    :param is_known: True for a certificate that clients with `trusting_context` trust.
    :param is_expired: True for a certificate that was valid until the year 2001.

    Raises ``ValueError`` for a name that cannot be in a certificate.
    """
    certificate = _certificate(names, _KNOWN if is_known else _UNKNOWN, _EXPIRED_YEARS if is_expired else _YEARS)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "server.crt")  # OpenSSL reads it from a file, and from nowhere else
        path.write_text(ssl.DER_cert_to_PEM_cert(certificate))
        context.load_cert_chain(path, bundled_certificate.KEY)
    context.num_tickets = 0  # as in `bundled_certificate`
    return context


@functools.cache
def trusting_context() -> ssl.SSLContext:
    """Return the context of a client that trusts the known authority of this process, and no other."""
    return ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(_authority(_KNOWN)[1]))


@functools.cache
def _authority(name: str) -> tuple[int, bytes]:
    """Return the private key of an authority, and its certificate."""
    key = secrets.randbelow(_ORDER - 1) + 1
    x, y = _coordinates(_multiply(key, _BASE))
    public = _PUBLIC_KEY + b"\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
    extensions = (
        _extension("551d13", _der(_SEQUENCE, _der(_BOOLEAN, b"\xff")), is_critical=True),
        _extension("551d0f", _der(_BITS, b"\1\6"), is_critical=True),  # it signs certificates and revocations
        _extension("551d0e", _der(_OCTETS, _id_of(public))),
    )
    return key, _signed(key, name, name, public, _YEARS, extensions)


def _certificate(names: tuple[str, ...], issuer: str, years: tuple[str, str]) -> bytes:
    key, authority = _authority(issuer)
    public = _public_key_of(ssl.PEM_cert_to_DER_cert(_pem(bundled_certificate.CERTIFICATE)))
    key_id = _der(_KEY_ID, _id_of(_public_key_of(authority)))
    extensions = (
        _extension("551d11", _der(_SEQUENCE, *map(_alternative_name, names))),
        _extension("551d13", _der(_SEQUENCE), is_critical=True),
        _extension("551d0f", _der(_BITS, b"\7\x80"), is_critical=True),  # it signs handshakes
        _extension("551d25", _der(_SEQUENCE, _der(_OID, bytes.fromhex("2b06010505070301")))),  # of a server
        _extension("551d0e", _der(_OCTETS, _id_of(public))),
        _extension("551d23", _der(_SEQUENCE, key_id)),
    )
    return _signed(key, issuer, names[0], public, years, extensions)


def _pem(path: str) -> str:
    text = Path(path).read_text()
    return text[text.index("-----BEGIN CERTIFICATE") :]


def _public_key_of(certificate: bytes) -> bytes:
    start = certificate.index(_PUBLIC_KEY)
    return certificate[start : start + len(_PUBLIC_KEY) + 65]


def _id_of(public_key: bytes) -> bytes:
    return hashlib.sha1(public_key[len(_PUBLIC_KEY) :], usedforsecurity=False).digest()


def _alternative_name(name: str) -> bytes:
    try:
        return _der(_IP_ADDRESS, ipaddress.ip_address(name).packed)
    except ValueError:
        pass  # a name, and no address
    try:
        return _der(_DNS_NAME, name.encode("ascii") if name.isascii() else name.encode("idna"))
    except UnicodeError as error:
        raise ValueError(f"{name!r} cannot be in a certificate: {error}.") from None


def _signed(
    key: int, issuer: str, subject: str, public_key: bytes, years: tuple[str, str], extensions: Sequence[bytes]
) -> bytes:
    """Return a certificate, signed by the key of its issuer, in DER: RFC 5280."""
    algorithm = bytes.fromhex(_ECDSA_WITH_SHA256)
    serial = hashlib.sha256(repr((subject, years, extensions[0])).encode()).digest()[:16]
    to_be_signed = _der(
        _SEQUENCE,
        _der(_VERSION, _integer(2)),
        _integer(int.from_bytes(serial, "big")),
        algorithm,
        _name(issuer),
        _der(_SEQUENCE, *map(_time, years)),
        _name(subject),
        public_key,
        _der(_EXTENSIONS, _der(_SEQUENCE, *extensions)),
    )
    return _der(_SEQUENCE, to_be_signed, algorithm, _der(_BITS, b"\0" + _sign(key, to_be_signed)))


def _time(text: str) -> bytes:
    is_short = datetime.strptime(text, "%Y%m%d%H%M%SZ").year < 2050
    return _der(_UTC_TIME, text[2:].encode()) if is_short else _der(_TIME, text.encode())


def _name(common_name: str) -> bytes:
    attribute = _der(_SEQUENCE, _der(_OID, bytes.fromhex("550403")), _der(_TEXT, common_name.encode()[:64]))
    return _der(_SEQUENCE, _der(_SET, attribute))


def _extension(oid: str, value: bytes, is_critical: bool = False) -> bytes:
    critical = _der(_BOOLEAN, b"\xff") if is_critical else b""
    return _der(_SEQUENCE, _der(_OID, bytes.fromhex(oid)), critical, _der(_OCTETS, value))


def _integer(number: int) -> bytes:
    return _der(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 128 | len(length))) + length + content


def _sign(key: int, message: bytes) -> bytes:
    number = int.from_bytes(hashlib.sha256(message).digest(), "big")
    once = secrets.randbelow(_ORDER - 1) + 1
    r = _coordinates(_multiply(once, _BASE))[0] % _ORDER
    s = pow(once, -1, _ORDER) * (number + r * key) % _ORDER
    return _der(_SEQUENCE, _integer(r), _integer(s)) if r and s else _sign(key, message)


def _coordinates(point: _Point) -> tuple[int, int]:
    assert point is not None, "The factor is below the order of the base point."
    return point


def _multiply(factor: int, point: _Point) -> _Point:
    total: _Point = None
    while factor:
        if factor & 1:
            total = _add(total, point)
        point = _add(point, point)
        factor >>= 1
    return total


def _add(one: _Point, other: _Point) -> _Point:
    """Return the sum of two points; None is zero."""
    if one is None or other is None:
        return one or other
    if one[0] != other[0]:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, _PRIME)
    elif one[1] == other[1]:
        slope = 3 * (one[0] ** 2 - 1) * pow(2 * one[1], -1, _PRIME)
    else:
        return None
    x = (slope**2 - one[0] - other[0]) % _PRIME
    return x, (slope * (one[0] - x) - one[1]) % _PRIME
