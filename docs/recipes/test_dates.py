"""The date of a test: one that passes with the timers, and one that is set by hand."""

import asyncio
import functools
import unittest
from datetime import UTC, datetime, timedelta

import time_machine

from asynctest_tornado import AsyncTestCase, VirtualClock


class Trial:
    """A month for free, and a mail on its last day."""

    def __init__(self):
        self.end = datetime.now(UTC) + timedelta(days=30)
        self.mails = []

    def is_over(self):
        return datetime.now(UTC) >= self.end

    async def remind(self):
        await asyncio.sleep(timedelta(days=29).total_seconds())
        self.mails.append(f"Your trial ends on {self.end:%d %B}.")


class TrialTest(AsyncTestCase):
    clock_factory = functools.partial(VirtualClock, dates=True, epoch=datetime(2030, 1, 1, 12, tzinfo=UTC))

    async def test_the_mail_comes_on_the_last_day(self):
        trial = Trial()
        await trial.remind()
        self.assertEqual(datetime.now(UTC), datetime(2030, 1, 30, 12, tzinfo=UTC))
        self.assertEqual(trial.mails, ["Your trial ends on 31 January."])

    async def test_the_end(self):
        trial = Trial()
        await asyncio.sleep(timedelta(days=30, seconds=-1).total_seconds())
        self.assertFalse(trial.is_over())
        await asyncio.sleep(1)
        self.assertTrue(trial.is_over())


class LeapYearTest(unittest.TestCase):
    def test_february(self):
        with time_machine.travel(datetime(2028, 2, 1, tzinfo=UTC), tick=False):
            self.assertEqual(Trial().end, datetime(2028, 3, 2, tzinfo=UTC))
