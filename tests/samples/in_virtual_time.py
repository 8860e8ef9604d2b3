"""Gives a suite that knows nothing of this library its classes, and a clock: to be imported before anything else."""

import asynctest_tornado.replace  # noqa: F401
from asynctest_tornado import AsyncTestCase, VirtualClock

AsyncTestCase.clock_factory = VirtualClock
