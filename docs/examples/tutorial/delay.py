import time

from tornado.ioloop import IOLoop


def delay(seconds):
    time.sleep(seconds / 1000)


def delay_async(seconds, callback):
    IOLoop.current().call_later(seconds / 1000, callback)
