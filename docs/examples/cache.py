"""A cache whose entries live for a while, and a heartbeat: code that is all timers."""

from collections.abc import Callable

from tornado.ioloop import IOLoop, PeriodicCallback


class Cache:
    """Keeps each value for some seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.values: dict[str, str] = {}

    def put(self, key: str, value: str) -> None:
        self.values[key] = value
        IOLoop.current().call_later(self.seconds, self.values.pop, key, None)


def start_heartbeat(beat: Callable[[], None], seconds: float) -> PeriodicCallback:
    heart = PeriodicCallback(beat, 1000 * seconds)
    heart.start()
    return heart
