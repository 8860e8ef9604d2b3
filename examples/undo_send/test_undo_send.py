"""The tests: over HTTP into the application, and out of it by SMTP.

Only time is replaced, which jumps from one deadline to the next: a test that waits for an email waits for the email,
ten minutes by its clock, and a few milliseconds by yours.
"""

import asyncio
import socket
from collections.abc import Generator
from email.message import EmailMessage
from typing import Any

from tornado.web import Application

from asynctest_tornado import AsyncHTTPTestCase, ExpectError, ExpectLog, VirtualClock, gen_test

from .app import make_app
from .mail import Relay, compose
from .mail_server import Mail, MailServer
from .outbox import Message, Outbox, State, WrongState, logger

EMAIL = {"from": "anna@example.com", "to": "bob@example.com", "subject": "Lunch", "body": "At noon?"}
#: Seconds.
TEN_MINUTES = 600.0
AN_HOUR = 3600.0


class UndoSendTestCase(AsyncHTTPTestCase):
    """The application, its outbox, and a mail server that it delivers to."""

    clock_factory = VirtualClock
    delay = AN_HOUR
    # No request, however wrong, may end in an internal error, unless the test expects it.
    fail_on_server_error = True

    def get_app(self) -> Application:
        self.mails: asyncio.Queue[Mail] = asyncio.Queue()
        self.mail_server = MailServer(on_mail=self.mails.put_nowait)
        self.run_sync(self.mail_server.start)
        self.addCleanup(self.mail_server.close)
        relay = Relay("127.0.0.1", self.mail_server.port, own_name="localhost")
        self.outbox = Outbox(relay.deliver, self.delay)
        return make_app(self.outbox, log_function=lambda handler: None)

    async def asyncTearDown(self) -> None:
        # As at the end of the program: emails that still wait are sent, and no timer outlives the test.
        await self.outbox.close()

    def post(self, **changes: str) -> Any:
        """Post an email, and return the message that the application answers with."""
        response = self.fetch("/messages", json={**EMAIL, **changes})
        self.assertEqual(response.code, 202, response.body)
        return response.json()

    def get(self, posted: Any) -> Any:
        """Ask the application for a message."""
        response = self.fetch(f"/messages/{posted['id']}")
        self.assertEqual(response.code, 200, response.body)
        return response.json()

    def sent(self, posted: Any) -> Message:
        """Wait until a message is sent, or failed, and return it."""
        message = self.outbox.messages[posted["id"]]
        self.run_sync(message.settled.wait)
        return message

    def assert_refused(self, response: Any, code: int, words: str) -> None:
        """Check the status code and the explanation."""
        self.assertEqual(response.code, code, response.body)
        self.assertIn(words, response.json()["error"])


class TestWaiting(UndoSendTestCase):
    """Emails that wait to be sent: time does not pass as long as there is something to do."""

    def test_an_email_is_accepted(self) -> None:
        """An email that is posted waits at a URL of its own."""
        response = self.fetch("/messages", json=EMAIL)
        self.assertEqual(response.code, 202)
        posted = response.json()
        self.assertEqual(response.headers["Location"], f"/messages/{posted['id']}")
        self.assertEqual(
            posted, {**EMAIL, "body": "At noon?\n", "id": posted["id"], "state": "sending soon", "error": None}
        )
        self.assertEqual(self.get(posted), posted)
        self.assertEqual(list(self.outbox.timers), [posted["id"]])

    def test_undo(self) -> None:
        """An email that is called back is a draft, and its timer is gone."""
        posted = self.post()
        response = self.fetch(f"/messages/{posted['id']}", method="DELETE")
        self.assertEqual(response.code, 200)
        self.assertEqual(response.json()["state"], "draft")
        self.assertEqual(self.get(posted)["state"], "draft")
        self.assertEqual(self.outbox.timers, {})

    async def test_undo_at_the_last_moment(self) -> None:
        """An email can be called back as long as its time is not over."""
        posted = (await self.async_fetch("/messages", json=EMAIL)).json()
        await self.clock.advance(AN_HOUR - 0.001)
        response = await self.async_fetch(f"/messages/{posted['id']}", method="DELETE")
        self.assertEqual(response.json()["state"], "draft")
        await self.clock.advance(AN_HOUR)
        self.assertTrue(self.mails.empty())

    def test_undo_twice(self) -> None:
        """To call an email back once more changes nothing."""
        posted = self.post()
        self.fetch(f"/messages/{posted['id']}", method="DELETE")
        response = self.fetch(f"/messages/{posted['id']}", method="DELETE")
        self.assertEqual(response.code, 200)
        self.assertEqual(response.json()["state"], "draft")

    async def test_an_undone_email_does_not_arrive(self) -> None:
        """An email that was called back is not sent; a later email arrives alone."""
        undone = self.outbox.submit(compose(EMAIL))
        self.outbox.undo(undone)
        sent = self.outbox.submit(compose({**EMAIL, "subject": "Dinner"}))
        await sent.settled.wait()
        self.assertEqual((await self.mails.get()).content["Subject"], "Dinner")
        self.assertTrue(self.mails.empty())
        self.assertEqual(undone.state, State.DRAFT)

    async def test_a_draft_is_sent_after_all(self) -> None:
        """A draft can be sent, after the delay, as if it were new."""
        draft = self.outbox.submit(compose(EMAIL))
        self.outbox.undo(draft)
        response = await self.async_fetch(f"/messages/{draft.id}/send", method="POST", body="")
        self.assertEqual(response.code, 202)
        self.assertEqual(response.json()["state"], "sending soon")
        self.assertEqual((await self.mails.get()).content["Subject"], "Lunch")

    def test_an_email_that_waits_is_not_sent_once_more(self) -> None:
        """An email that waits already is not sent a second time."""
        posted = self.post()
        response = self.fetch(f"/messages/{posted['id']}/send", method="POST", body="")
        self.assert_refused(response, 409, "nothing to send: the message is in the state 'sending soon'")
        self.assertEqual(list(self.outbox.timers), [posted["id"]])

    def test_the_end_of_the_program(self) -> None:
        """Emails that still wait when the program ends are sent at once."""
        posted = self.post()
        self.run_sync(self.outbox.close)
        self.assertEqual(self.run_sync(self.mails.get).content["Subject"], "Lunch")
        self.assertEqual(self.get(posted)["state"], "sent")
        self.assertEqual(self.outbox.timers, {})

    def test_unknown_id(self) -> None:
        """An email that never was there can neither be shown, nor called back, nor sent."""
        for method, path in ("GET", "/messages/1"), ("DELETE", "/messages/1"), ("POST", "/messages/1/send"):
            with self.subTest(method=method):
                response = self.fetch(path, method=method, body="" if method == "POST" else None)
                self.assert_refused(response, 404, "there is no message 1")

    def test_internal_error(self) -> None:
        """The answer to a bug is JSON like any error, and without the details, which are for the log."""
        email = compose(EMAIL)
        email.make_mixed()  # as if it had attachments, which the application can neither take nor show
        message = self.outbox.submit(email)
        # If it were not expected, the test would fail with the KeyError, and not look at the response.
        with ExpectError(KeyError, "multipart/mixed"):
            response = self.fetch(f"/messages/{message.id}")
        self.assert_refused(response, 500, "Internal Server Error")


class TestSending(UndoSendTestCase):
    """Emails that are sent."""

    delay = TEN_MINUTES

    def test_an_email_arrives(self) -> None:
        """An email arrives as it was posted, when its time is over."""
        self.mail_server.on_mail = self.stop
        self.post()
        sender, recipients, content = self.wait()
        self.assertEqual(self.clock.time(), TEN_MINUTES)
        self.assertEqual(sender, "anna@example.com")
        self.assertEqual(recipients, ["bob@example.com"])
        self.assertEqual(content["From"], "anna@example.com")
        self.assertEqual(content["To"], "bob@example.com")
        self.assertEqual(content["Subject"], "Lunch")
        self.assertEqual(content.get_content(), "At noon?\n")
        self.assertEqual(content["Date"].defects, ())
        self.assertTrue(content["Message-ID"].endswith("@example.com>"))

    async def test_any_language(self) -> None:
        """Subject and body may be in any language and of any length. They are sent as ASCII, which all servers take."""
        words = {"subject": "Grüße" + " aus 東京" * 20, "body": "Schöne Grüße 🍜\n.\n\nFrom me\n" * 100}
        await self.async_fetch("/messages", raise_error=True, json={**EMAIL, **words})
        mail = await self.mails.get()
        self.assertEqual(mail.content["Subject"], words["subject"])
        self.assertEqual(mail.content.get_content(), words["body"])
        self.assertTrue(mail.content.as_bytes().isascii())

    @gen_test
    def test_state(self) -> Generator[Any, Any, None]:
        """An email that the mail server has taken is shown as sent."""
        response = yield self.async_fetch("/messages", raise_error=True, json=EMAIL)
        yield self.outbox.messages[response.json()["id"]].settled.wait()
        response = yield self.async_fetch(response.headers["Location"])
        self.assertEqual(response.json()["state"], "sent")

    async def test_several_emails(self) -> None:
        """Each of several emails arrives."""
        subjects = {f"Lunch at {hour}" for hour in range(11, 15)}
        emails = ({**EMAIL, "subject": subject} for subject in subjects)
        await asyncio.gather(*(self.async_fetch("/messages", raise_error=True, json=email) for email in emails))
        self.assertEqual({(await self.mails.get()).content["Subject"] for _ in subjects}, subjects)

    def test_too_late(self) -> None:
        """An email that was sent cannot be called back, nor sent again."""
        posted = self.post()
        self.sent(posted)
        response = self.fetch(f"/messages/{posted['id']}", method="DELETE")
        self.assert_refused(response, 409, "too late to undo: the message is in the state 'sent'")
        response = self.fetch(f"/messages/{posted['id']}/send", method="POST", body="")
        self.assert_refused(response, 409, "nothing to send: the message is in the state 'sent'")
        self.assertEqual(self.get(posted)["state"], "sent")

    async def test_too_late_by_a_moment(self) -> None:
        """An email cannot be called back while the mail server takes it."""
        self.mail_server.answers.clear()
        response = await self.async_fetch("/messages", raise_error=True, json=EMAIL)
        await self.mails.get()
        response = await self.async_fetch(response.headers["Location"], method="DELETE")
        self.assert_refused(response, 409, "too late to undo: the message is in the state 'sending'")
        self.mail_server.answers.set()

    def test_too_late_by_less(self) -> None:
        """An email cannot be called back from the very moment on in which its time is over."""
        self.outbox.delay = 0
        message = self.outbox.submit(compose(EMAIL))

        def undo() -> None:
            with self.assertRaises(WrongState):  # if this fails, the test fails, although it is in a callback
                self.outbox.undo(message)
            self.stop()

        # Two timers that are due in the same turn of the loop, this one right after the timer of the outbox.
        self.io_loop.call_later(0, undo)
        self.wait()


class TestFailures(UndoSendTestCase):
    """Emails that the mail server does not take: their state and the log have the reason."""

    delay = TEN_MINUTES

    def test_unknown_recipient(self) -> None:
        """An email whose recipient the mail server refuses has failed, for the reason that the server gives."""
        self.mail_server.unknown.add("unknown@example.com")
        with ExpectLog(logger, "Message .* was not sent: .* 550 No such user here"):
            posted = self.post(to="unknown@example.com")
            self.sent(posted)
        failed = self.get(posted)
        self.assertEqual(failed["state"], "failed")
        self.assertEqual(failed["error"], "the server refused unknown@example.com: 550 No such user here")
        self.assertTrue(self.mails.empty())

    async def test_another_try(self) -> None:
        """A failed email can be sent once more, when the reason is gone."""
        self.mail_server.unknown.add("bob@example.com")
        with ExpectLog(logger, ".*No such user"):
            message = self.outbox.submit(compose(EMAIL))
            await message.settled.wait()
        self.mail_server.unknown.clear()
        await self.async_fetch(f"/messages/{message.id}/send", raise_error=True, method="POST", body="")
        await message.settled.wait()
        self.assertEqual((message.state, message.error), (State.SENT, None))
        self.assertEqual((await self.mails.get()).recipients, ["bob@example.com"])

    def test_a_failed_email_is_no_draft(self) -> None:
        """An email that failed cannot be called back."""
        self.mail_server.unknown.add("bob@example.com")
        with ExpectLog(logger, ".*No such user"):
            posted = self.post()
            self.sent(posted)
        response = self.fetch(f"/messages/{posted['id']}", method="DELETE")
        self.assert_refused(response, 409, "too late to undo: the message is in the state 'failed'")

    def test_no_mail_server(self) -> None:
        """If no server listens, an email fails."""
        with socket.socket() as deaf:
            # It has a port, which no other program gets, but does not listen.
            deaf.bind(("127.0.0.1", 0))
            port = deaf.getsockname()[1]
            self.outbox.deliver = Relay("127.0.0.1", port, own_name="localhost").deliver
            with ExpectLog(logger, "Message .* was not sent: .* cannot take it"):
                posted = self.post()
                self.sent(posted)
        failed = self.get(posted)
        self.assertEqual(failed["state"], "failed")
        self.assertIn(f"the server at 127.0.0.1:{port} cannot take it", failed["error"])

    def test_bug(self) -> None:
        """A bug in the delivery is no reason to lose an email, and is logged with its traceback."""

        def deliver(email: EmailMessage) -> None:
            raise ZeroDivisionError

        self.outbox.deliver = deliver
        # If it were not expected, the test would fail with the ZeroDivisionError, although a callback raises it, which
        # has no caller.
        with ExpectLog("tornado.application", "Exception in callback") as log:
            posted = self.post()
            self.sent(posted)
            failed = self.get(posted)
        self.assertTrue(log.logged_stack)
        self.assertEqual((failed["state"], failed["error"]), ("failed", "internal error"))


class TestBadInput(UndoSendTestCase):
    """Requests that are refused: nothing is sent, and the answer names the mistake."""

    def assert_bad(self, words: str, **request: Any) -> None:
        """Post it, as ``json`` or as ``body``, and expect it to be refused in these words."""
        with self.subTest(**request):
            self.assert_refused(self.fetch("/messages", method="POST", **request), 400, words)
            self.assertEqual(self.outbox.messages, {})

    def test_no_json(self) -> None:
        """The body of a request has to be JSON."""
        for body in "", "to=bob@example.com", '{"from": ', b"\xff":
            self.assert_bad("the body of the request is not JSON: ", body=body)

    def test_no_object(self) -> None:
        """The JSON has to be an object."""
        for body in "[]", "null", '"email"':
            self.assert_bad("an email has to be an object with the fields from, to, subject, body", body=body)

    def test_missing_field(self) -> None:
        """Each field is required."""
        for name in EMAIL:
            rest = {key: value for key, value in EMAIL.items() if key != name}
            self.assert_bad(f"the field '{name}' is missing", json=rest)

    def test_no_string(self) -> None:
        """Each field has to be text."""
        for name in EMAIL:
            for value in None, 1, ["bob@example.com"]:
                self.assert_bad(f"'{name}' has to be a string", json={**EMAIL, name: value})
            self.assert_bad(f"'{name}' is not text", json={**EMAIL, name: "\ud800"})

    def test_unknown_field(self) -> None:
        """A field that would be ignored is refused."""
        self.assert_bad("there is no field 'cc'", json={**EMAIL, "cc": "carl@example.com"})

    def test_no_address(self) -> None:
        """Sender and recipient have to be one address each."""
        values = "", "bob", "bob@", "@b", "a@b, c@d", "a b@c", "Bob <a@b>", "jürgen@b", "a@b\nCc: c@d", "a@b\n"
        for name in "from", "to":
            for value in values:
                self.assert_bad(f"'{name}' has to be one address in ASCII", json={**EMAIL, name: value})

    def test_header_injection(self) -> None:
        """A subject cannot smuggle in another header, not even an encoded one."""
        for value in "Lunch\nBcc: carl@example.com", "Lunch\r", "=?utf-8?q?Lunch=0ABcc:_carl@example.com?=", "\0":
            self.assert_bad("'subject' ", json={**EMAIL, "subject": value})
