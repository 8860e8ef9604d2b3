"""Tests that end their timers, or name the leaks that are allowed."""

from tornado.ioloop import PeriodicCallback

from asynctest_tornado import AsyncTestCase
from docs.examples.cache import Cache, start_heartbeat


class TidyTest(AsyncTestCase):
    leaks = "fail"

    def test_heartbeat(self):
        heart = start_heartbeat(lambda: None, 60)
        self.addCleanup(heart.stop)
        self.assertTrue(heart.is_running())


class TolerantTest(AsyncTestCase):
    leaks = "fail"
    allowed_leaks = (PeriodicCallback, r"dict\.pop")

    def test_heartbeat(self):
        self.assertTrue(start_heartbeat(lambda: None, 60).is_running())

    def test_cache(self):
        cache = Cache(60)
        cache.put("tea", "hot")
        self.assertIn("tea", cache.values)
