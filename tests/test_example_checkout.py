"""The example ``checkout``: its tests pass, and find planted bugs; the program works as its docstring describes."""

import json
import re
import shlex
import unittest
import urllib.request
from typing import Any

import tornado

import examples.checkout
from tests import planted_bugs
from tests.planted_bugs import Bug
from tests.support import run_example, run_python, start_example

BUGS: tuple[Bug, ...] = (
    Bug("payments", "await asyncio.sleep(pauses.pop(0))", "raise", "test_a_cut_response_is_tried_again"),
    Bug(
        "payments",
        '"Idempotency-Key": key',
        '"Idempotency-Key": key + str(len(pauses))',
        "test_the_card_is_charged_once",
    ),
    Bug(
        "payments",
        "except HTTPTimeoutError as error:",
        "except ZeroDivisionError as error:",
        "test_a_slow_provider_is_a_504",
    ),
    Bug(
        "payments",
        "request.connect_timeout = request.request_timeout = end - loop.time()",
        "pass",
        "test_a_slow_provider_is_a_504",
    ),
    Bug("payments", "pauses = list(PAUSES)", "pauses = [*PAUSES, 4]", "test_a_third_attempt_is_the_last"),
    Bug("payments", "?after={self.last_event}", "?after=0", "test_only_events_that_were_missed"),
    Bug("payments", ", ping_interval=PING_INTERVAL, ping_timeout=PING_TIMEOUT", "", "test_a_feed_that_falls_silent"),
    Bug(
        "payments",
        '"POST", headers, body)',
        '"POST", headers, body, validate_cert=False)',
        "test_a_host_without_the_certificate_of_the_provider",
    ),
    Bug("payments", "pause = min(2 * pause, LONGEST_PAUSE)", "raise", "test_a_provider_that_starts_again"),
    Bug(
        "payments",
        "answer = await self._post",
        "await asyncio.sleep(1); answer = await self._post",
        "test_a_third_attempt_is_the_last",
    ),
    Bug(
        "checkout",
        "if order.is_open:  # no event has come meanwhile",
        "if True:",
        "test_an_event_is_faster_than_the_response",
    ),
    Bug("checkout", "async with order.turn:", "if True:", "test_two_clicks"),
    Bug("checkout", "order.declined += 1", "pass", "test_another_card_after_one_that_is_declined"),
    Bug("checkout", 'order.status = "unconfirmed"', "pass", "test_a_third_attempt_is_the_last"),
    Bug("breaker", "self._open(now)  # the others wait for the trial", "pass", "test_one_trial_at_a_time"),
    Bug("breaker", "        self.failures = 0\n\n", "        pass\n\n", "test_a_trial_after_a_minute"),
)
if tornado.version_info >= (6, 5):  # before, the garbage collector closes the feed, but with a warning
    BUGS += (Bug("payments", "asyncio.shield(opening)", "opening", "test_the_checkout_ends_while_it_opens_the_feed"),)


class SuiteTest(unittest.TestCase):
    def test_it_passes(self) -> None:
        """The tests of the example pass, skip nothing, and print nothing but unittest's report."""
        done = run_example("examples/checkout")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\A\.+\n(Schedules: .*\n\n)?-+\nRan [1-9]\d* tests in [\d.]+s\n\nOK\n\Z")

    def test_its_functions_pass(self) -> None:
        """The test functions of the example pass under pytest."""
        done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "examples/checkout/functions_test.py")
        self.assertRegex(done.stdout, r"\n[1-9]\d* passed in ")
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_it_finds_bugs(self) -> None:
        """Where a bug is planted in the example, the test fails that is about it."""
        planted_bugs.check(self, "checkout", BUGS, "2")


class ProgramTest(unittest.TestCase):
    """On real sockets."""

    def setUp(self) -> None:
        self.provider, provider = start_example(self, "examples.checkout.payments_stub")
        self.process, self.url = start_example(self, "examples.checkout", f"--payments={provider}")

    def read(self, path: str, body: str | None = None) -> Any:
        # The environment may name a proxy, which does not know this host.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url + path, data=None if body is None else body.encode()) as response:
            return json.load(response)

    def test_by_hand(self) -> None:
        """The commands in the docstring have results, and the program ends without a word."""
        assert examples.checkout.__doc__ is not None
        order, show = re.findall(r"^    curl (http.*)$", examples.checkout.__doc__, re.MULTILINE)
        url, option, body = shlex.split(order)
        self.assertEqual(option, "-d")
        paid = self.read(url.removeprefix("http://127.0.0.1:8888"), body)
        self.assertEqual(paid, {"order": "A-1", "cents": 4200, "status": "paid", "charge": "ch_1"})
        self.assertEqual(self.read(show.removeprefix("http://127.0.0.1:8888")), paid)
        self.process.terminate()
        self.assertEqual(self.process.communicate(), ("", ""))
        self.assertEqual(self.process.returncode, 0)
