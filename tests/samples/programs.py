"""Trees of callbacks, timers, tasks and threads, some of which fail, as the body of a test."""

import asyncio
import contextlib
import functools
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from tornado import gen

from asynctest_tornado import AsyncTestCase, ExceptionStackContext, ExpectError


class PlantedError(Exception):
    pass


@dataclass
class Node:
    """Something that is started, starts others in turn, and then may fail."""

    kind: str
    fails: bool
    #: "context": a handler around its children takes their errors; "declines": a handler sees them only;
    #: "expected": the test expects the node's own error.
    expectation: str | None
    delay: float
    children: list["Node"] = field(default_factory=list)
    number: int = 0


KINDS = [
    "add_callback",
    "spawn_callback",
    "call_later",
    "coroutine_callback",
    "call_soon",
    "call_soon_threadsafe",
    "asyncio_call_later",
    "done_callback",
    "task",
    "kept_task",
    "decorated_coroutine",
    "thread",
]


class Program:
    """The trees of one test, and the events in them."""

    def __init__(self, roots: list[Node], numbers: "itertools.count[int]") -> None:
        self.roots = roots
        self.happened: Counter[int] = Counter()
        #: The numbers of nodes: a handler consumes the errors of some, the test expects the errors of others, and still
        #: does so for those that are open: an error can end it early, and its expectations with it.
        self.handled: set[int] = set()
        self.expected: set[int] = set()
        self.open: set[int] = set()
        self.threads: list[threading.Thread] = []
        self.kept: list[Any] = []
        self.running = 0
        for root in roots:
            self.number(root, numbers, is_handled=False)

    def number(self, node: Node, numbers: "itertools.count[int]", is_handled: bool) -> None:
        node.number = next(numbers)
        if is_handled:
            self.handled.add(node.number)
        if node.expectation == "expected":
            self.expected.add(node.number)
        for child in node.children:
            self.number(child, numbers, is_handled or node.expectation == "context")

    def start_all(self, case: AsyncTestCase, nodes: list[Node]) -> None:
        for node in nodes:
            self.running += 1
            getattr(self, node.kind)(case, node.delay, functools.partial(self.run, case, node))

    def run(self, case: AsyncTestCase, node: Node) -> None:
        if node.expectation in ("context", "declines"):
            with ExceptionStackContext(lambda typ, value, tb: node.expectation == "context"):
                self.start_all(case, node.children)
        else:
            self.start_all(case, node.children)
        # Not before its children count: the test would see none running, and end, while a thread is between the two.
        self.running -= 1
        if node.number not in self.open:
            self.expected.discard(node.number)
        if node.fails:
            self.happened[node.number] += 1
            raise PlantedError(f"<{node.number}>")

    def add_callback(self, case: AsyncTestCase, delay: float, run: Callable[[], None]) -> None:
        case.io_loop.add_callback(run)

    def spawn_callback(self, case: AsyncTestCase, delay: float, run: Callable[[], None]) -> None:
        case.io_loop.spawn_callback(run)

    def call_later(self, case: AsyncTestCase, delay: float, run: Callable[[], None]) -> None:
        in_thread(case, lambda: case.io_loop.call_later(delay, run))

    def coroutine_callback(self, case: AsyncTestCase, delay: float, run: Callable[[], None]) -> None:
        async def work() -> None:
            await asyncio.sleep(delay)
            run()

        case.io_loop.add_callback(work)

    def call_soon(self, case: AsyncTestCase, delay: float, run: Callable[[], None]) -> None:
        in_thread(case, lambda: loop_of(case).call_soon(run))

    def call_soon_threadsafe(self, case: AsyncTestCase, delay: float, run: Callable[[], None]) -> None:
        loop_of(case).call_soon_threadsafe(run)

    def asyncio_call_later(self, case: AsyncTestCase, delay: float, run: Callable[[], None]) -> None:
        in_thread(case, lambda: loop_of(case).call_later(delay, run))

    def done_callback(self, case: AsyncTestCase, delay: float, run: Callable[[], None]) -> None:
        def add() -> None:
            future = loop_of(case).create_future()
            future.add_done_callback(lambda _: run())
            loop_of(case).call_later(delay, lambda: future.done() or future.set_result(None))

        in_thread(case, add)

    async def work(self, delay: float, run: Callable[[], None]) -> None:
        await asyncio.sleep(delay)
        run()

    def task(self, case: AsyncTestCase, delay: float, run: Callable[[], None]) -> None:
        in_thread(case, lambda: loop_of(case).create_task(self.work(delay, run)))

    def kept_task(self, case: AsyncTestCase, delay: float, run: Callable[[], None]) -> None:
        in_thread(case, lambda: self.kept.append(loop_of(case).create_task(self.work(delay, run))))

    def decorated_coroutine(self, case: AsyncTestCase, delay: float, run: Callable[[], None]) -> None:
        @gen.coroutine
        def work() -> Generator[Any, Any, None]:
            yield gen.sleep(delay)
            run()

        in_thread(case, lambda: work() and None)

    def thread(self, case: AsyncTestCase, delay: float, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run)
        self.threads.append(thread)
        thread.start()

    @contextlib.contextmanager
    def expecting(self, number: int) -> Generator[None, None, None]:
        with ExpectError(PlantedError, rf"^<{number}>$", required=False):
            self.open.add(number)
            yield
            self.join_threads()
            self.open.remove(number)

    def join_threads(self) -> None:
        for thread in self.threads:
            thread.join()


def loop_of(case: AsyncTestCase) -> Any:
    return case.io_loop.asyncio_loop  # type: ignore[attr-defined]


def in_thread(case: AsyncTestCase, start: Callable[[], object]) -> None:
    """Call it in the thread of the loop, where most things have to be started."""
    if threading.current_thread() is threading.main_thread():
        start()
    else:
        case.io_loop.add_callback(start)


class Sample(AsyncTestCase):
    programs: dict[str, Program]

    def setUp(self) -> None:
        super().setUp()
        self.program = self.programs[self._testMethodName]
        for number in self.program.expected:
            self.enterContext(self.program.expecting(number))

    def tearDown(self) -> None:
        self.program.join_threads()
        super().tearDown()

    async def run_program(self) -> None:
        self.program.start_all(self, self.program.roots)
        while self.program.running > 0:
            await asyncio.sleep(0.0005)
        for _ in range(3):
            await asyncio.sleep(0)

    async def test_one(self) -> None:
        await self.run_program()

    async def test_two(self) -> None:
        await self.run_program()
