"""A cache whose entries live for a while, and a heartbeat: code that is all timers."""

from tornado.ioloop import IOLoop, PeriodicCallback


class Cache:
    """Keeps each value for some seconds."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.values = {}

    def put(self, key, value):
        self.values[key] = value
        IOLoop.current().call_later(self.seconds, self.values.pop, key, None)


def start_heartbeat(beat, seconds):
    heart = PeriodicCallback(beat, 1000 * seconds)
    heart.start()
    return heart
