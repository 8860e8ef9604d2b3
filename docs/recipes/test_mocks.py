"""Mocks: one that is handed to the application, one by patch(), and one that reaches too far."""

from unittest import mock

from tornado.httpclient import AsyncHTTPClient
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncHTTPTestCase, ExpectError


class Mailer:
    async def send(self, address, text):
        raise OSError("There is no mail server in a test.")


def make_code():
    raise OSError("There is no source of random numbers in a test.")


class SignUpHandler(RequestHandler):
    async def post(self):
        await self.settings["mailer"].send(self.get_argument("address"), f"Your code is {make_code()}.")
        self.set_status(201)


class SignUpTest(AsyncHTTPTestCase):
    def get_app(self):
        self.mailer = mock.create_autospec(Mailer, instance=True)  # its send() is an AsyncMock
        self.enterContext(mock.patch(f"{__name__}.make_code", return_value=7))
        return Application([("/users", SignUpHandler)], mailer=self.mailer)

    async def sign_up(self):
        return await self.fetch("/users", form={"address": "anna@example.com"})

    async def test_a_code_is_sent(self):
        self.assertStatus(await self.sign_up(), 201)
        self.mailer.send.assert_awaited_once_with("anna@example.com", "Your code is 7.")

    async def test_the_mail_server_is_down(self):
        self.mailer.send.side_effect = ConnectionRefusedError
        with ExpectError(ConnectionRefusedError):
            self.assertStatus(await self.sign_up(), 500)

    async def test_the_trap(self):
        patch = mock.patch.object(AsyncHTTPClient, "fetch", side_effect=OSError("a mock"))
        with patch, self.assertRaisesRegex(OSError, "a mock"):
            await self.sign_up()  # the test asks by the same client, so the application gets no request
        self.mailer.send.assert_not_called()
