"""Gives a suite that knows nothing of this library its classes, and a network: to be imported before anything else."""

import asynctest_tornado.replace  # noqa: F401
from asynctest_tornado import AsyncTestCase, VirtualNetwork

AsyncTestCase.network_factory = VirtualNetwork
