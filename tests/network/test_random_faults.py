"""Random faults: a client that retries, under many seeds.

The number of seeds is 100, or the value of the environment variable ``ASYNCTEST_FAULTY_RUNS``: ``.ci/run`` has 1,000.
"""

import asyncio
import os
import re
import unittest
from collections import Counter
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPError

from asynctest_tornado import AsyncTestCase, VirtualClock, VirtualNetwork
from tests.network.hosts import BREAKS_OFF, URL, serve
from tests.support import run_case

RUNS = int(os.environ.get("ASYNCTEST_FAULTY_RUNS", "100"))
#: The shares of faults, so that each kind has its turn, and so that a client gives up now and then.
SHARES = 0.6


class PlantedError(Exception):
    """An error of the test, in the midst of the faults."""


class GaveUp(Exception):
    """The client has got no response in all of its attempts."""


class Client:
    """A client that tries each request again, after a pause that grows."""

    attempts = 4

    def __init__(self, log: list[tuple[float, str]]) -> None:
        self._log = log

    async def get(self, path: str) -> bytes:
        for attempt in range(self.attempts):
            try:
                response = await AsyncHTTPClient().fetch(URL + path, request_timeout=5)
            except BREAKS_OFF as error:
                self._note(f"{type(error).__name__} {error}")
                await asyncio.sleep(2**attempt)
            else:
                self._note(f"{len(response.body)} bytes")
                return response.body
        raise GaveUp(path)

    def _note(self, text: str) -> None:
        self._log.append((asyncio.get_running_loop().time(), text))


class Run:
    """One run under a seed: the times and outcomes of all attempts, and the report.

    :param plants: true to raise an error in a callback amid the attempts.
    """

    def __init__(self, seed: int, plants: bool = False) -> None:
        self.log: list[tuple[float, str]] = []
        run = self

        class Sample(AsyncTestCase):
            network_factory = staticmethod(lambda: VirtualNetwork(faults=SHARES, seed=seed))
            clock_factory = VirtualClock
            leaks = "fail"

            async def test(self) -> None:
                serve(self)
                if plants:
                    self.io_loop.call_later(seed % 7, run.fail)
                client = Client(run.log)
                paths = [f"/charge?size={size}" for size in (10, 1000, 500_000)]
                bodies = await asyncio.gather(*map(client.get, paths), return_exceptions=True)
                for path, body in zip(paths, bodies, strict=True):
                    if isinstance(body, bytes):
                        self.assertEqual(len(body), int(path.rpartition("=")[2]))
                    else:
                        self.assertIsInstance(body, GaveUp)
                        run.log.append((self.clock.time(), str(body)))
                await asyncio.sleep(10)

        self.report = run_case(Sample).report

    def fail(self) -> None:
        raise PlantedError

    def outcomes(self) -> set[str]:
        return {text for _, text in self.log}


class RetryTest(unittest.TestCase):
    def test_nothing_hangs_and_no_error_is_lost_and_a_seed_repeats_its_run(self) -> None:
        seen = Counter[str]()
        for seed in range(RUNS):
            run, again = Run(seed), Run(seed)
            self.assertEqual((run.report, again.report), ("", ""), f"seed {seed}")
            self.assertEqual(run.log, again.log, f"seed {seed}")
            self.assertTrue(run.log)
            seen.update(run.outcomes())
            if seed % 3:
                continue
            planted = Run(seed, plants=True)
            reported = re.findall(r"^\S*PlantedError$", planted.report, re.MULTILINE)
            self.assertEqual(len(reported), 1, f"seed {seed}\n{planted.report}")
            self.assertNotIn("TimeoutError", planted.report)
        # The seeds would prove nothing if the faults were always the same, or if there were none.
        for outcome in ("1000 bytes", "HTTPTimeoutError", "HTTPStreamClosedError", "ConnectionRefusedError", "/charge"):
            self.assertTrue(any(outcome in text for text in seen), (outcome, seen))
        self.assertTrue(any("ConnectionResetError" in text for text in seen), seen)


class SharesTest(unittest.TestCase):
    def test_no_kind_is_drawn_that_has_no_share(self) -> None:
        class Sample(AsyncTestCase):
            network_factory = staticmethod(lambda: VirtualNetwork(faults={"refuse": 1}))

            async def test(self) -> None:
                serve(self)
                for _ in range(20):
                    with self.assertRaises(ConnectionRefusedError):
                        await AsyncHTTPClient().fetch(f"{URL}/charge")

        self.assertEqual(run_case(Sample).report, "")

    def test_the_report_has_the_faults_and_the_seed(self) -> None:
        class Sample(AsyncTestCase):
            network_factory = staticmethod(lambda: VirtualNetwork(faults={"cut": 1}, seed=7))

            async def test(self) -> None:
                serve(self)
                await AsyncHTTPClient().fetch(f"{URL}/charge")

        self.assertRegex(
            run_case(Sample).report,
            rf"Faults of the network:\n  GET {URL}/charge: [\d,]+ of [\d,]+ bytes of the response, then cut\n"
            r"    by faults=\{'cut': 1\}, drawn from the seed 7\n",
        )

    def test_without_a_seed_each_order_has_faults_of_its_own(self) -> None:
        class Sample(AsyncTestCase):
            network_factory = staticmethod(lambda: VirtualNetwork(faults={"cut": 0.5}))
            schedules = 10

            async def test(self) -> None:
                serve(self)
                try:
                    await AsyncHTTPClient().fetch(f"{URL}/charge")
                except HTTPError:
                    outcomes.append("cut")
                else:
                    outcomes.append("whole")

        outcomes: list[str] = []
        self.assertEqual(run_case(Sample).report, "")
        self.assertEqual((set(outcomes), len(outcomes)), ({"cut", "whole"}, 10))

    def test_bad_input(self) -> None:
        bad: list[tuple[Any, type[Exception], str]] = [
            ("0.1", TypeError, "got faults='0.1', and '0.1' is no number. Give a number from 0 to 1, or such numbers"),
            (True, TypeError, "got faults=True, and True is no number. "),
            (1.5, ValueError, "got faults=1.5, and 1.5 is no share. "),
            ({"cuts": 0.1}, ValueError, "there is no kind 'cuts'. Did you mean 'cut'?"),
            (
                {"flood": 0.1},
                ValueError,
                "there is no kind 'flood'. The kinds are refuse, cut, reset, half_close, latency",
            ),
            ({"cut": 0.6, "reset": 0.6}, ValueError, "which is 1.2 faults for each response. Give a number from 0"),
        ]
        for faults, error, text in bad:
            with self.subTest(faults=faults), self.assertRaises(error) as caught:
                VirtualNetwork(faults=faults)
            self.assertIn(text, str(caught.exception))
        with self.assertRaisesRegex(TypeError, "got seed='1', which is no whole number. Give one, or leave it out."):
            VirtualNetwork(seed="1")  # type: ignore[arg-type]
