"""What the comparison measures: bodies of tests that each have one mistake, or need one ability.

They know no library for tests. ``tests.conformance.peers`` runs each of them in a test of each library.
"""

import asyncio
import threading
import time

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

_kept = []


def fail():
    raise ZeroDivisionError


async def fail_at_once():
    fail()


# Errors that no code awaits.


async def callback_of_the_ioloop():
    IOLoop.current().add_callback(fail)
    await asyncio.sleep(0.05)


async def callback_of_asyncio():
    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0.05)


async def task_that_is_dropped():
    asyncio.create_task(fail_at_once())  # noqa: RUF006
    await asyncio.sleep(0.05)


async def task_that_is_kept():
    _kept.append(asyncio.create_task(fail_at_once()))
    await asyncio.sleep(0.05)


async def thread():
    worker = threading.Thread(target=fail)
    worker.start()
    worker.join()


# Waits.


async def waits_for_ever():
    await asyncio.Event().wait()


async def blocks_for_longer_than_the_timeout():
    time.sleep(1)


# Leaks.


async def coroutine_never_awaited():
    callback_of_the_ioloop()


async def task_left_behind():
    _kept.append(asyncio.create_task(asyncio.sleep(100)))


async def server_left_open():
    server = HTTPServer(Application())
    server.listen(0, "127.0.0.1")
    _kept.append(server)


# Virtual time.


async def hour():
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(3600)
    assert loop.time() - began >= 3600


async def periodic_callback():
    """A callback of a second, in 5.5 seconds."""
    calls = []
    periodic = PeriodicCallback(lambda: calls.append(None), 1000)
    periodic.start()
    await asyncio.sleep(5.5)
    periodic.stop()
    assert len(calls) == 5, f"{len(calls)} calls"


class Slow(RequestHandler):
    async def get(self):
        await asyncio.sleep(1)
        self.write("done")


async def fifty_requests():
    """A server and a client of Tornado, on the loop of the test. Each response takes a second."""
    server = HTTPServer(Application([("/", Slow)]))
    sock, port = bind_unused_port()
    server.add_sockets([sock])
    responses = 0
    for _ in range(50):
        try:
            await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/")
            responses += 1
        except Exception as error:
            print(error)
    server.stop()
    await server.close_all_connections()
    assert responses == 50, f"{responses} responses"


# Orders: each of these passes in the order of asyncio.


async def check_then_act():
    """A task that finds the name free takes it, but another task may have done so meanwhile."""
    owners = {}
    requests = asyncio.Queue()

    async def register(user):
        name = await requests.get()
        if name not in owners:
            await asyncio.sleep(0)
            owners[name] = user

    async def ask():
        requests.put_nowait("jesse")
        for _ in range(3):
            await asyncio.sleep(0)
        requests.put_nowait("jesse")

    await asyncio.gather(register("first"), register("second"), ask())
    assert owners == {"jesse": "first"}


async def close_twice():
    closed, is_open = 0, True

    async def close():
        nonlocal closed, is_open
        if is_open:
            await asyncio.sleep(0)
            closed += 1
            is_open = False

    async def on_error():
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await close()

    await asyncio.gather(close(), on_error())
    assert closed == 1


async def falls_behind():
    """Fails only if one task does a single step while another one does eight."""
    log = []

    async def prepare():
        await asyncio.sleep(0)
        log.append("ready")

    async def use():
        for _ in range(8):
            await asyncio.sleep(0)
        log.append("use")

    async def other():
        for _ in range(6):
            await asyncio.sleep(0)

    await asyncio.gather(prepare(), use(), *(other() for _ in range(3)))
    assert log == ["ready", "use"]
