"""The example ``undo_send``: its own tests pass, and the program works as its docstring describes."""

import asyncio
import json
import subprocess
import unittest
import urllib.request

from asynctest_tornado import AsyncTestCase
from examples.undo_send.mail_server import Mail, MailServer
from tests.support import run_example, start_example


class SuiteTest(unittest.TestCase):
    def test_it_passes(self) -> None:
        """The tests of the example pass, skip nothing, and print nothing but unittest's report."""
        done = run_example("examples/undo_send")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\A\.+\n-+\nRan [1-9]\d* tests in [\d.]+s\n\nOK\n\Z")


class ProgramTest(AsyncTestCase):
    async_test_timeout = 60

    def setUp(self) -> None:
        super().setUp()
        self.mails: asyncio.Queue[Mail] = asyncio.Queue()
        self.mail_server = MailServer(on_mail=self.mails.put_nowait)
        self.run_sync(self.mail_server.start)
        self.addCleanup(self.mail_server.close)

    def start(self, delay: float) -> tuple[subprocess.Popen[str], str]:
        """Run the program, on an unused port; return the process and its URL."""
        relay = f"--smtp-port={self.mail_server.port}"
        return start_example(self, "examples.undo_send", relay, f"--delay={delay}")

    def post(self, url: str) -> None:
        """Post an email."""
        email = {"from": "anna@example.com", "to": "bob@example.com", "subject": "Lunch", "body": "At noon?"}
        # The environment may name a proxy, which does not know this host.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{url}/messages", data=json.dumps(email).encode()) as response:
            self.assertEqual(response.status, 202)

    def check_mail(self) -> None:
        """Wait for the email to arrive."""
        mail = self.run_sync(self.mails.get)
        self.assertEqual((mail.sender, mail.recipients), ("anna@example.com", ["bob@example.com"]))
        self.assertEqual((mail.content["Subject"], mail.content.get_content()), ("Lunch", "At noon?\n"))

    def check_end(self, process: "subprocess.Popen[str]") -> None:
        """Wait for the end of the process."""
        # In a thread, since the mail server may still have to answer.
        self.assertEqual(self.run_sync(asyncio.to_thread, process.communicate), ("", ""))
        self.assertEqual(process.returncode, 0)

    def test_send(self) -> None:
        """An email that is posted to the program arrives after the delay."""
        process, url = self.start(delay=0.02)
        self.post(url)
        self.check_mail()
        process.terminate()
        self.check_end(process)

    def test_end(self) -> None:
        """A program that is terminated sends first the emails that wait."""
        process, url = self.start(delay=3600)
        self.post(url)
        process.terminate()
        self.check_mail()
        self.check_end(process)
