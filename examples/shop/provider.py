"""An OAuth provider, for tests and to try the shop by hand: it signs in all who ask, without a question."""

import asyncio
import secrets
import sys
from typing import Any

from tornado.web import Application, HTTPError, RequestHandler


class Provider:
    """The users who are signed in, and the shops that may ask for them.

    :param clients: the names and passwords of the shops.
    """

    def __init__(self, **clients: str) -> None:
        #: The name of the person at the browser.
        self.person = "anna"
        self.clients = clients
        self.codes: dict[str, str] = {}
        self.tokens: dict[str, str] = {}

    def make_app(self, **settings: Any) -> Application:
        handlers = {"/authorize": AuthorizeHandler, "/token": TokenHandler, "/user": UserHandler}
        arguments = {"provider": self}
        return Application([(path, handler, arguments) for path, handler in handlers.items()], **settings)


class ProviderHandler(RequestHandler):
    def initialize(self, provider: Provider) -> None:
        self.provider = provider


class AuthorizeHandler(ProviderHandler):
    def get(self) -> None:
        code = secrets.token_urlsafe()
        self.provider.codes[code] = self.provider.person
        state = self.get_query_argument("state")
        self.redirect(f"{self.get_query_argument('redirect_uri')}?code={code}&state={state}")


class TokenHandler(ProviderHandler):
    def post(self) -> None:
        client, secret = self.get_body_argument("client_id"), self.get_body_argument("client_secret")
        name = self.provider.codes.pop(self.get_body_argument("code"), None)
        if self.provider.clients.get(client) != secret or name is None:
            raise HTTPError(400)
        token = secrets.token_urlsafe()
        self.provider.tokens[token] = name
        self.write({"access_token": token})


class UserHandler(ProviderHandler):
    def get(self) -> None:
        name = self.provider.tokens.get(self.get_query_argument("access_token"))
        if name is None:
            raise HTTPError(401)
        self.write({"name": name})


async def main(name: str, port: int = 8889) -> None:
    provider = Provider(shop="for this machine only, too")
    provider.person = name
    provider.make_app().listen(port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
