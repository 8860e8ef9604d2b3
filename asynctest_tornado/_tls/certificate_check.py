"""The certificate that a server presents, and whether its dates are right."""

# Tested by tests/tls/test_bundled_certificate.py.

import ssl
import sys
from datetime import UTC, datetime
from typing import Any

from tornado.netutil import ssl_options_to_context

from asynctest_tornado._util import real_time

__unittest = True

Options = dict[str, Any] | ssl.SSLContext

#: OpenSSL's numbers.
_REASONS = {9: "is not valid yet", 10: "has expired"}


def check_date(options: Options) -> None:
    """Raise ``ValueError`` if the certificate of a server has expired, or is not valid yet.

    The server itself reports any other fault of the options, when a client connects.
    """
    reason = _REASONS.get(_verify_code(options))
    if reason is not None:
        name = repr(options.get("certfile")) if isinstance(options, dict) else f"in {options!r}"
        raise ValueError(
            f"The certificate {name} of the server {reason}: clients will refuse it. Renew it, leave get_ssl_options() "
            "alone to serve a certificate that does not expire, or fetch with validate_cert=False. " + _clock()
        )


def explain(error: BaseException) -> None:
    """Add the time of this machine to the error of a client that refuses a certificate for its date."""
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in _REASONS:
        error.add_note(f"{_clock()} The test certificate of asynctest_tornado is valid from 1970 to 2125.")


def _clock() -> str:
    now = datetime.fromtimestamp(wall_time(), UTC)
    return f"The clock of this machine shows {now:%Y-%m-%d %H:%M} UTC: set it if that is wrong."


def wall_time() -> float:
    """Return the computer's time, which OpenSSL has, in seconds since 1970; also if time-machine has changed it."""
    hatch = getattr(sys.modules.get("time_machine"), "escape_hatch", None)
    return float(hatch.time.time()) if hatch is not None and hatch.is_travelling() else real_time.wall_time()


def is_signed_by(options: Options, authority: str) -> bool:
    """Return whether a client that trusts this authority alone would accept the certificate of a server.

    :param authority: the path of its certificate.
    """
    client = _client()
    client.load_verify_locations(authority)
    client.verify_mode = ssl.CERT_REQUIRED
    try:
        _shake_hands(client, _server(options))
    except ssl.SSLError as error:
        # Before TLS 1.3, the server may ask for a certificate of the client before the handshake is done. By then, the
        # client has accepted the certificate of the server.
        return error.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    except (OSError, ValueError, TypeError, AssertionError):
        return False
    return True


def served(options: Options) -> bytes | None:
    """Return the certificate that a server with these options presents, or None if it cannot be found out."""
    try:
        return _presented(_server(options))
    except (ssl.SSLError, OSError, ValueError, TypeError, AssertionError):
        return None


def _server(options: Options) -> ssl.SSLContext:
    if isinstance(options, dict):
        # Whether clients need a certificate makes no difference here.
        options = {name: value for name, value in options.items() if name not in ("cert_reqs", "ca_certs")}
    elif options.sni_callback is not None:
        raise ValueError  # the callback belongs to the test, which may count its calls
    return ssl_options_to_context(options, server_side=True)


def _client() -> ssl.SSLContext:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    return client


def _presented(server: ssl.SSLContext) -> bytes | None:
    return _shake_hands(_client(), server).getpeercert(binary_form=True)


def _verify_code(options: Options) -> int:
    """Return OpenSSL's verdict on the certificate for a client that trusts its issuer: 0 is good."""
    certificate = served(options)
    if certificate is None:
        return 0
    client = _client()
    client.load_verify_locations(cadata=certificate)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.verify_mode = ssl.CERT_REQUIRED
    try:
        _shake_hands(client, _server(options))
    except ssl.SSLCertVerificationError as error:
        return error.verify_code
    except ssl.SSLError:
        pass  # for a reason other than its dates
    return 0


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> ssl.SSLObject:
    """Connect the two in memory, until the client is done. Raises ``ssl.SSLError`` if it cannot."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    while True:
        try:
            one.do_handshake()
        except ssl.SSLWantReadError:
            # Here the server raises its own reasons, such as a client without a certificate. Once the client is done,
            # they do not matter.
            try:
                other.do_handshake()
            except ssl.SSLWantReadError:
                if not to_client.pending:
                    raise ssl.SSLError from None  # the server does not answer
        else:
            return one
