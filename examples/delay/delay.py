"""The code under test: two ways of letting time pass."""

import time

from tornado.ioloop import IOLoop


def delay(seconds):
    """Return when the seconds have passed. Nothing else happens in this thread meanwhile."""
    time.sleep(seconds)


def delay_async(seconds, callback):
    """Return at once, and have the event loop call the callback when the seconds have passed.

    The loop keeps the promise only while it runs.
    """
    IOLoop.current().call_later(seconds, callback)
