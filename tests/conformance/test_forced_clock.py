"""Tornado's own tests of whatever has to do with time pass in virtual time."""

import unittest

from tests.support import run_python

MODULES = "gen_test", "httpclient_test", "ioloop_test", "locks_test", "queues_test", "simple_httpclient_test"


class ForcedClockTest(unittest.TestCase):
    def test_timing_tests_of_tornado_pass(self) -> None:
        done = run_python("-m", "tests.conformance.forced_clock", *MODULES)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.count(" 0 cannot, 0 fail"), len(MODULES), done.stdout)
