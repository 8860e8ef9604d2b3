"""Tests that wait for the work that they set off, and for conditions."""

from asynctest_tornado import AsyncHTTPTestCase
from docs.examples.mails import make_app


class MailTest(AsyncHTTPTestCase):
    def get_app(self):
        self.outbox = []
        return make_app(self.outbox)

    async def test_mail(self):
        await self.fetch("/orders", method="POST", form={"item": "tea"})
        self.assertEqual(self.outbox, [])
        await self.settle()
        self.assertEqual(self.outbox, ["Your tea is on its way"])

    def test_mail_in_synchronous_code(self):
        self.fetch("/orders", method="POST", form={"item": "tea"})
        self.run_sync(self.settle)
        self.assertEqual(self.outbox, ["Your tea is on its way"])

    async def test_first_of_two(self):
        for item in "tea", "coffee":
            await self.fetch("/orders", method="POST", form={"item": item})
        first = await self.eventually(lambda: self.outbox[0], timeout=2)
        self.assertEqual(first, "Your tea is on its way")
        await self.settle()  # the second mail


class SettledTest(AsyncHTTPTestCase):
    settle_at_end = True

    def get_app(self):
        return make_app([])

    def test_order(self):
        response = self.fetch("/orders", method="POST", form={"item": "tea"})
        self.assertEqual(response.code, 202)  # and send_mail() has to succeed, too
