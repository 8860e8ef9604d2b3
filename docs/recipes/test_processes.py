"""Child processes, and signals of the test's own process."""

import asyncio
import os
import signal
import sys
import unittest

from asynctest_tornado import AsyncTestCase

PROGRAM = "print(input().upper())"


async def shout(text):
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, **pipes)
    output, errors = await process.communicate(text.encode())
    if process.returncode != 0:
        raise RuntimeError(errors.decode())
    return output.decode().strip()


async def serve_until_signal(log):
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    try:
        log.append("started")
        await ended.wait()
        log.append("stopped")
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


class SubprocessTest(AsyncTestCase):
    async_test_timeout = 30  # a busy machine starts a process slowly

    async def test_output(self):
        self.assertEqual(await shout("hello"), "HELLO")

    async def test_a_process_that_fails(self):
        with self.assertRaisesRegex(RuntimeError, "EOFError"):
            await shout("")


@unittest.skipIf(sys.platform == "win32", "asyncio has no signal handlers on Windows")
class SignalTest(AsyncTestCase):
    async def test_sigterm(self):
        log = []
        serving = asyncio.create_task(serve_until_signal(log))
        await self.eventually(lambda: log == ["started"])
        os.kill(os.getpid(), signal.SIGTERM)
        await serving
        self.assertEqual(log, ["started", "stopped"])
