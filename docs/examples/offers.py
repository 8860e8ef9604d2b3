"""Offers that end at a date."""

from datetime import UTC, datetime, timedelta

from tornado.ioloop import PeriodicCallback


class Offer:
    """A price that holds for a week."""

    def __init__(self, price):
        self.price = price
        self.ends = datetime.now(UTC) + timedelta(days=7)
        self.is_open = True
        self._check = PeriodicCallback(self._end_if_over, timedelta(hours=1))
        self._check.start()

    def _end_if_over(self):
        if datetime.now(UTC) >= self.ends:
            self.is_open = False
            self._check.stop()
