"""Emails, and how an SMTP server takes them."""

import re
import smtplib
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import localtime, make_msgid

FIELDS = ("from", "to", "subject", "body")

_WORDS = r"[\w'+=-]+(\.[\w'+=-]+)*"
#: One address, without a name: of all that RFC 5322 allows, the usual ones.
ADDRESS = re.compile(f"{_WORDS}@{_WORDS}", re.ASCII)
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


def compose(fields: object) -> EmailMessage:
    """Make an email of a dictionary with the strings "from", "to", "subject" and "body".

    Raises ``ValueError``, which names the mistake in them.
    """
    texts = _check(fields)
    email = EmailMessage()
    email["From"] = texts["from"]
    email["To"] = texts["to"]
    try:
        email["Subject"] = texts["subject"]
    except ValueError as error:
        raise ValueError(f"'subject' cannot be a header: {error}") from error
    # Read back, because an encoded word (RFC 2047) may hide a line break, and older versions of Python made another
    # header of the text after it: https://github.com/python/cpython/issues/121650
    if CONTROL_CHARACTER.search(email["Subject"]):
        raise ValueError("'subject' has line breaks or other control characters")
    email["Date"] = localtime()
    # With a domain given, because a lookup of this host's domain may take a while.
    email["Message-ID"] = make_msgid(domain=texts["from"].partition("@")[2])
    # Not every server takes 8-bit text, which would be the default.
    email.set_content(texts["body"], cte="quoted-printable")
    return email


def _check(fields: object) -> dict[str, str]:
    """Return the fields if they are all there, and each of them is text."""
    if not isinstance(fields, dict):
        raise ValueError("an email has to be an object with the fields " + ", ".join(FIELDS))
    for name in FIELDS:
        if name not in fields:
            raise ValueError(f"the field {name!r} is missing")
        if not isinstance(fields[name], str):
            raise ValueError(f"{name!r} has to be a string")
        try:
            fields[name].encode()
        except UnicodeError as error:  # JSON can express half a surrogate pair
            raise ValueError(f"{name!r} is not text: {error}") from error
    for name in fields:
        if name not in FIELDS:
            raise ValueError(f"there is no field {name!r}; the fields are " + ", ".join(FIELDS))
    for name in ("from", "to"):
        if not ADDRESS.fullmatch(fields[name]):
            raise ValueError(f"{name!r} has to be one address in ASCII, such as anna@example.com")
    return fields


class NotDelivered(Exception):
    """An SMTP server did not take an email; the message of the exception is the reason, for people to read."""


@dataclass(frozen=True)
class Relay:
    """An SMTP server that passes emails on.

    :param timeout: how long it may take for each answer, in seconds.
    :param own_name: the name that this host gives itself; by default, its full domain name.
    """

    host: str
    port: int
    timeout: float = 30
    own_name: str | None = None

    def deliver(self, email: EmailMessage) -> None:
        """Hand the email to the server, which blocks meanwhile: call it in a thread.

        Raises `NotDelivered`.
        """
        try:
            with smtplib.SMTP(self.host, self.port, self.own_name, self.timeout) as server:
                # Not send_message(), which makes ">From" of "From" where a line starts with it.
                server.sendmail(email["From"], email["To"], email.as_bytes(policy=policy.SMTP))
        except smtplib.SMTPRecipientsRefused as error:
            ((code, answer),) = error.recipients.values()
            raise NotDelivered(f"the server refused {email['To']}: {code} {_text(answer)}") from error
        except smtplib.SMTPResponseException as error:
            raise NotDelivered(f"the server refused it: {error.smtp_code} {_text(error.smtp_error)}") from error
        except OSError as error:  # of which the other exceptions of smtplib are kinds
            raise NotDelivered(f"the server at {self.host}:{self.port} cannot take it: {error}") from error


def _text(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer
