"""The certificate that HTTPS tests serve and trust.

An authority signed it whose key nobody has any more; ``certificate/make.sh`` made both. It is valid for
``localhost``, ``127.0.0.1`` and ``::1`` until the year 2126.
"""

from pathlib import Path
from typing import Any

__unittest = True

_FOLDER = Path(__file__).with_name("certificate")

#: What a client has to trust.
AUTHORITY = str(_FOLDER / "authority.crt")
CERTIFICATE = str(_FOLDER / "server.crt")
KEY = str(_FOLDER / "server.key")


def server_options() -> dict[str, Any]:
    """Return ``ssl_options`` for an HTTP server."""
    return {"certfile": CERTIFICATE, "keyfile": KEY}


def client_options(server: Any) -> dict[str, Any]:
    """Return the defaults of an HTTP client for a server with these ``ssl_options``.

    The client verifies the server where it has our certificate; of any other, it cannot know whom to trust.
    """
    if isinstance(server, dict) and server.get("certfile") == CERTIFICATE:
        return {"ca_certs": AUTHORITY}
    return {"validate_cert": False}
