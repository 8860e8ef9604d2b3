"""Seven mistakes, each in a test of three base classes. The comparison says which classes notice."""

import asyncio
import threading
import time
import unittest

import tornado.testing
from tornado.ioloop import IOLoop

import asynctest_tornado

_kept = []


def fail():
    raise ZeroDivisionError


async def callback_of_the_ioloop():
    IOLoop.current().add_callback(fail)
    await asyncio.sleep(0.05)


async def callback_of_asyncio():
    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0.05)


async def task_that_is_not_awaited():
    async def work():
        fail()

    _kept.append(asyncio.create_task(work()))
    await asyncio.sleep(0.05)


async def thread():
    worker = threading.Thread(target=fail)
    worker.start()
    worker.join()


async def coroutine_never_awaited():
    callback_of_the_ioloop()


async def task_left_behind():
    _kept.append(asyncio.create_task(asyncio.sleep(100)))


async def blocks_for_longer_than_the_timeout():
    time.sleep(0.5)


MISTAKES = [
    callback_of_the_ioloop,
    callback_of_asyncio,
    task_that_is_not_awaited,
    thread,
    coroutine_never_awaited,
    task_left_behind,
    blocks_for_longer_than_the_timeout,
]


class OfTornado(tornado.testing.AsyncTestCase):
    pass


class OfPython(unittest.IsolatedAsyncioTestCase):
    pass


class Ours(asynctest_tornado.AsyncTestCase):
    leaks = "fail"


def _test(mistake):
    async def test(self):
        await mistake()

    return test


for _mistake in MISTAKES:
    _name = f"test_{_mistake.__name__}"
    _limit = 0.3 if _mistake is blocks_for_longer_than_the_timeout else 60
    setattr(OfTornado, _name, tornado.testing.gen_test(timeout=_limit)(_test(_mistake)))
    setattr(OfPython, _name, _test(_mistake))
    setattr(Ours, _name, asynctest_tornado.gen_test(timeout=_limit)(_test(_mistake)))
