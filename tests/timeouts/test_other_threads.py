"""Threads beside virtual time: which of them have a job, and which can still act."""

import asyncio
import functools
import hashlib
import os
import queue
import select
import tempfile
import threading
import unittest
from collections.abc import Callable, Sequence
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from asynctest_tornado import AsyncTestCase, VirtualClock
from asynctest_tornado._clock.feature import VIRTUAL_TIME
from asynctest_tornado._timeouts import other_threads
from tests.limits import limit_clock
from tests.support import run_body

needs_linux = unittest.skipUnless(other_threads._FUTEX, "the system does not say what threads wait for")


def compute(rounds: int = 200) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", b"", b"", rounds * 100)  # without the interpreter's lock


def compute_in_python(rounds: int = 200) -> int:
    return sum(range(rounds * 100))


def compute_until(is_over: threading.Event) -> None:
    while not is_over.is_set():
        compute()
        compute_in_python()


def write_to_disk() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * 10_000)
        file.flush()
        os.fsync(file.fileno())


class Worker:
    """A thread that takes functions from a queue, as the thread of a connection of aiosqlite does."""

    def __init__(self, jobs: Any) -> None:
        self.jobs = jobs
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while (job := self.jobs.get()) is not None:
            job()

    def end(self) -> None:
        self.jobs.put(None)
        self.thread.join()

    async def execute(self, func: Callable[[], object]) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def job() -> None:
            result = func()
            loop.call_soon_threadsafe(future.set_result, result)

        self.jobs.put(job)
        return await future


def until_asleep() -> None:
    """Wait until all other threads sleep, for as long as it takes."""
    while not other_threads.are_asleep(set()):
        select.select([], [], [], 0.001)


@needs_linux
class AsleepTest(unittest.TestCase):
    """A thread sleeps if it waits for a lock, without a time limit."""

    def check(self, func: Callable[[], object], end: Callable[[], object], sleeps: bool) -> None:
        has_begun = threading.Event()

        def run() -> None:
            has_begun.set()
            func()

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(end)
        has_begun.wait()
        if sleeps:
            until_asleep()
            sleepers: set[str] = set()
            self.assertTrue(other_threads.are_asleep(sleepers))
            self.assertIn(str(thread.native_id), sleepers)
        else:
            for _ in range(50):
                self.assertFalse(other_threads.are_asleep(set()))
                select.select([], [], [], 0.001)
        end()
        thread.join()

    def test_queues(self) -> None:
        for jobs in queue.Queue[int](), queue.SimpleQueue[int](), queue.PriorityQueue[int]():
            self.check(jobs.get, functools.partial(jobs.put, 1), sleeps=True)

    def test_locks(self) -> None:
        event, lock, semaphore = threading.Event(), threading.Lock(), threading.Semaphore(0)
        self.check(event.wait, event.set, sleeps=True)
        self.check(semaphore.acquire, semaphore.release, sleeps=True)
        lock.acquire()
        self.check(lock.acquire, lambda: lock.release() if lock.locked() else None, sleeps=True)

    def test_a_wait_with_a_limit_is_no_sleep(self) -> None:
        event, jobs, simple = threading.Event(), queue.Queue[int](), queue.SimpleQueue[int]()
        self.check(lambda: event.wait(60), event.set, sleeps=False)
        self.check(lambda: jobs.get(timeout=60), lambda: jobs.put(1), sleeps=False)
        self.check(lambda: simple.get(timeout=60), lambda: simple.put(1), sleeps=False)

    def test_a_wait_for_a_file_is_no_sleep(self) -> None:
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        self.check(lambda: os.read(reader, 1), lambda: os.write(writer, b"x"), sleeps=False)
        self.check(lambda: select.select([reader], [], []), lambda: os.write(writer, b"x"), sleeps=False)

    def test_a_thread_that_computes_does_not_sleep(self) -> None:
        is_over = threading.Event()
        self.check(lambda: compute_until(is_over), is_over.set, sleeps=False)

    def test_a_thread_that_was_woken_is_awake_before_it_runs(self) -> None:
        # Its call and its number are the same until its processor notices; the texts are as Linux 6 prints them.
        self.assertTrue(self.sleeps(state="S (sleeping)"))
        self.assertFalse(self.sleeps(state="R (running)"))

    def test_a_thread_that_was_switched_off_meanwhile_is_awake(self) -> None:
        # Linux prints more lines below the numbers on some processors.
        self.assertFalse(self.sleeps(state="S (sleeping)", times=["3", "4"]))

    def sleeps(self, state: str, times: Sequence[str] = ("3", "3")) -> bool:
        """Return whether the system's description of a thread says that it sleeps."""
        numbers = iter(times)
        texts: dict[str, Callable[[], str]] = {
            "syscall": lambda: (
                f"{(other_threads._FUTEX or b'').decode()} 0x7f00 0x189 0x0 0x0 0x0 0xffffffff 0x7ffd 0x7f01\n"
            ),
            "status": lambda: (
                f"Name:\tpython3\nState:\t{state}\nvoluntary_ctxt_switches:\t{next(numbers)}\n"
                "nonvoluntary_ctxt_switches:\t0\nx86_Thread_features:\t\nx86_Thread_features_locked:\t\n"
            ),
        }
        with (
            mock.patch.object(other_threads, "_threads", return_value={"7"}),
            mock.patch.object(other_threads, "_read", lambda thread, name: texts[name]().encode()),
        ):
            sleepers: set[str] = set()
            other_threads.are_asleep(sleepers)
        return "7" in sleepers

    def test_a_thread_computes_or_waits(self) -> None:
        is_over, event = threading.Event(), threading.Event()
        threads = [
            threading.Thread(target=lambda: compute_until(is_over), name="busy"),
            threading.Thread(target=event.wait, name="waiting"),
        ]
        for thread in threads:
            thread.start()
            self.addCleanup(thread.join)
        self.addCleanup(event.set)
        self.addCleanup(is_over.set)
        while list(other_threads.computing().values()) != ["busy"]:  # the other one takes some time to get there
            pass


@needs_linux
class JobsTest(AsyncTestCase):
    """Time stands still while the thread of a queue has a job, and does not wait for it otherwise."""

    # If a jump waited for that long, it would be over.
    clock_factory = lambda: VirtualClock(autojump_threshold=60)  # noqa: E731
    async_test_timeout = 30

    def worker(self, jobs: Any) -> Worker:
        worker = Worker(jobs)
        self.addCleanup(worker.end)
        return worker

    async def test_an_idle_thread_lets_time_jump(self) -> None:
        for jobs in queue.Queue[Any](), queue.SimpleQueue[Any]():
            self.worker(jobs)
        await asyncio.sleep(1)
        for _ in range(100):
            await asyncio.sleep(60)
        self.assertEqual(self.clock.time(), 6001)

    async def test_it_jumps_between_jobs(self) -> None:
        worker = self.worker(queue.SimpleQueue[Any]())
        for number in range(30):
            await worker.execute(compute)
            await asyncio.sleep(60)
            self.assertEqual(self.clock.time(), 60 * (number + 1))

    async def test_a_thread_that_waits_for_a_file_has_to_be_quiet(self) -> None:
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        worker = self.worker(queue.SimpleQueue[Any]())
        asyncio.get_running_loop().call_soon(os.write, writer, b"x")
        async with asyncio.timeout(1):
            self.assertEqual(await worker.execute(lambda: os.read(reader, 1)), b"x")
        self.assertEqual(self.clock.time(), 0)


@needs_linux
class LongJobsTest(AsyncTestCase):
    """A job may take longer than the threshold for things that may never come."""

    clock_factory = lambda: VirtualClock(autojump_threshold=0.005)  # noqa: E731
    async_test_timeout = 60

    @staticmethod
    def repeat(func: Callable[[], object]) -> None:
        for _ in range(50):
            func()

    async def test_a_job(self) -> None:
        worker = Worker(queue.SimpleQueue[Any]())
        self.addCleanup(worker.end)
        until_asleep()
        works: tuple[Callable[[], object], ...] = (compute, compute_in_python, write_to_disk)
        for func in works:
            for _ in range(3):
                await asyncio.sleep(1)
                now = self.clock.time()
                async with asyncio.timeout(5):
                    await worker.execute(functools.partial(self.repeat, func))
                self.assertEqual(self.clock.time(), now)

    def test_a_thread_that_has_always_computed_may_do_so_for_ever(self) -> None:
        is_over = threading.Event()
        thread = threading.Thread(target=lambda: compute_until(is_over))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(is_over.set)
        passing = self.io_loop.asyncio_loop._asynctest.trap.data[VIRTUAL_TIME].passing  # type: ignore[attr-defined]
        for number in range(1, 4):
            self.clock.advance(1)
            self.assertEqual(self.clock.time(), number)
            self.assertEqual(passing._endless, {str(thread.native_id)})  # so that no other jump waits for it

    def test_a_report_names_a_thread_that_has_a_job(self) -> None:
        class Sample(AsyncTestCase):
            clock_factory = VirtualClock
            async_test_timeout = 0.2

            async def test(self) -> None:
                worker = Worker(queue.SimpleQueue[Any]())
                worker.thread.name = "of the database"
                is_over = threading.Event()
                self.addCleanup(worker.end)
                self.addCleanup(is_over.set)
                await asyncio.sleep(1)
                worker.jobs.put(lambda: compute_until(is_over))
                await asyncio.sleep(0)
                limit_clock.advance()
                await asyncio.sleep(1)

        with limit_clock.stopped():
            report = run_body(Sample, Sample.test).report
        self.assertIn(
            "Virtual time: 1 s have passed in this test; it does not pass while something works in real time: "
            "the thread of the database",
            report,
        )


# Programs: jobs that go from thread to thread, and work on the way.

_work = st.sampled_from([compute, compute_in_python, write_to_disk, lambda: select.select([], [], [], 0.001)])
_stops = st.lists(st.tuples(st.integers(0, 3), st.lists(_work, max_size=2)), min_size=1, max_size=4)
_jobs = st.lists(_stops, min_size=1, max_size=6)


class Workers:
    """Four threads that take jobs from queues, and hand them on; they work under a lock that they share."""

    def __init__(self) -> None:
        kinds: tuple[Callable[[], Any], ...] = (queue.Queue, queue.SimpleQueue)
        self.workers = [Worker(kinds[number % 2]()) for number in range(4)]
        self._lock = threading.Lock()

    def begin(self, stops: list[Any], on_end: Callable[[], object]) -> None:
        (number, work), *rest = stops

        def job() -> None:
            with self._lock:
                for func in work:
                    func()
            if rest:
                self.begin(rest, on_end)
            else:
                on_end()

        self.workers[number].jobs.put(job)

    def end(self) -> None:
        for worker in self.workers:
            worker.end()


@needs_linux
class ProgramsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.workers = Workers()
        self.addCleanup(self.workers.end)

    @settings(max_examples=60, deadline=None)
    @given(_jobs)
    def test_all_threads_sleep_only_if_no_job_is_left(self, jobs: list[Any]) -> None:
        done: list[int] = []
        for number, stops in enumerate(jobs):
            self.workers.begin(stops, functools.partial(done.append, number))
        while not other_threads.are_asleep(set()):
            pass
        self.assertEqual(sorted(done), list(range(len(jobs))))

    @settings(max_examples=40, deadline=None)
    @given(_jobs)
    def test_no_limit_of_the_test_is_over_before_its_jobs(self, jobs: list[Any]) -> None:
        async def test(case: AsyncTestCase) -> None:
            loop = asyncio.get_running_loop()
            await asyncio.sleep(1)
            futures = []
            for stops in jobs:
                future: asyncio.Future[None] = loop.create_future()
                futures.append(future)
                set_result = future.set_result
                self.workers.begin(stops, functools.partial(loop.call_soon_threadsafe, set_result, None))
            async with asyncio.timeout(1):
                await asyncio.gather(*futures)
            case.assertEqual(case.clock.time(), 1)
            await asyncio.sleep(3600)

        result = run_body(JobsBase, test)
        self.assertEqual(result.verdicts, ["addSuccess"], result.report)


class JobsBase(AsyncTestCase):
    clock_factory = lambda: VirtualClock(autojump_threshold=60)  # noqa: E731
    async_test_timeout = 60
