import time

from tornado.ioloop import IOLoop


def delay(seconds):
    time.sleep(seconds)


def delay_async(seconds, callback):
    IOLoop.current().call_later(seconds, callback)
