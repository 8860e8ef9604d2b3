"""The other end, for tests: an SMTP server that hands each email to a function."""

import asyncio
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import NamedTuple

from aiosmtpd.smtp import SMTP, Envelope, Session


class Mail(NamedTuple):
    """An email as it arrived: the addresses on the envelope, and the content."""

    sender: str | None
    recipients: list[str]
    content: EmailMessage


class MailServer:
    """An SMTP server on an unused port of 127.0.0.1, on the loop of the test.

    :param on_mail: called with each `Mail` that arrives.
    """

    def __init__(self, on_mail: Callable[[Mail], object]) -> None:
        self.on_mail = on_mail
        #: Addresses for which it takes no mail.
        self.unknown: set[str] = set()
        #: While this is not set, it does not confirm to clients that it got their mail.
        self.answers = asyncio.Event()
        self.answers.set()

    async def start(self) -> None:
        """Listen, from now on, on ``self.port``."""
        loop = asyncio.get_running_loop()
        # With a name given, because a lookup of this host's name may take a while.
        self._server = await loop.create_server(lambda: SMTP(self, hostname="localhost", loop=loop), "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Listen no more."""
        self._server.close()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer, by the rules of aiosmtpd, to a client that names a recipient."""
        if address in self.unknown:
            return "550 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Answer to a client that has sent an email."""
        assert isinstance(envelope.content, bytes)
        # On the way, lines end in CRLF.
        content = message_from_bytes(envelope.content.replace(b"\r\n", b"\n"), policy=policy.default)
        self.on_mail(Mail(envelope.mail_from, envelope.rcpt_tos, content))
        await self.answers.wait()
        return "250 OK"
