import asyncio
import dataclasses
import gc
import socket
import unittest
from collections.abc import Callable
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import PeriodicCallback
from tornado.iostream import IOStream, PipeIOStream
from tornado.tcpserver import TCPServer

from asynctest_tornado import AsyncTestCase, bind_unused_port
from asynctest_tornado._util.weak_notes import WeakNotes
from tests.support import run_body


class Equal:
    """Equal to every object of its class, and no key for a dictionary."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    __hash__ = None  # type: ignore[assignment]


class Incomparable:
    """As an array of numpy: a comparison has no truth value, and there is no hash."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("The truth value is ambiguous.")

    __hash__ = None  # type: ignore[assignment]


@dataclasses.dataclass
class Server(TCPServer):
    name: str = "echo"

    def __post_init__(self) -> None:
        super().__init__()


@dataclasses.dataclass
class Ticker(PeriodicCallback):
    seconds: float

    def __post_init__(self) -> None:
        super().__init__(print, 1000 * self.seconds)


class Stream(Equal, IOStream):
    pass


class Pipe(Incomparable, PipeIOStream):
    pass


class Client(Equal, AsyncHTTPClient):
    pass


def ignore(*args: object) -> None:
    pass


class ObjectsOfUsersTest(AsyncTestCase):
    """They are neither hashed nor compared."""

    leaks = "fail"

    def test_servers(self) -> None:
        for server in Server(), Server():
            server.add_sockets([bind_unused_port()[0]])
            server.stop()

    def test_streams(self) -> None:
        for stream in map(Stream, socket.socketpair()):
            stream.close()

    def test_pipes(self) -> None:
        import os

        for stream in map(Pipe, os.pipe()):
            stream.close()

    def test_periodic_callbacks(self) -> None:
        for ticker in Ticker(1), Ticker(1):
            ticker.start()
            ticker.stop()

    def test_arguments_of_timers(self) -> None:
        loop = asyncio.get_event_loop()
        for argument in Equal(), Incomparable():
            with self.subTest(type(argument)):
                timers = [loop.call_at(loop.time() + 100, ignore, argument) for _ in range(2)]
                for timer in timers:
                    timer.cancel()

    async def test_arguments_of_jobs(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(None, ignore, Incomparable()) for _ in range(2)))


class LeaksOfEqualsTest(unittest.TestCase):
    """Of two objects that are equal, each one that is left is reported."""

    def check(self, make: Callable[[], object], told: str) -> None:
        def body(case: Any) -> None:
            case.kept = [make(), make()]

        base = type("Strict", (AsyncTestCase,), {"leaks": "fail"})
        self.assertEqual(run_body(base, body).report.count(told), 2)

    def test_timers(self) -> None:
        def make() -> object:
            return asyncio.get_event_loop().call_at(1e9, ignore, 1)

        self.check(make, "pending timer ignore, due in")

    def test_streams(self) -> None:
        def make() -> object:
            one, other = socket.socketpair()
            self.addCleanup(other.close)
            return Stream(one)

        self.check(make, "unclosed stream Stream")

    def test_periodic_callbacks(self) -> None:
        def make() -> object:
            ticker = Ticker(1)
            ticker.start()
            return ticker

        self.check(make, "running PeriodicCallback print")


class Slotted:
    """A timer that cannot be referred to weakly, as a loop of another make may return."""

    __slots__ = ("_args", "_callback", "_context", "_when")
    _source_traceback = None

    def __init__(self, timer: Any, callback: Any, args: Any) -> None:
        self._context, self._when, self._callback, self._args = timer._context, timer.when(), callback, args

    def __lt__(self, other: "Slotted") -> Any:
        return self._when < other._when

    def when(self) -> Any:
        return self._when

    def cancelled(self) -> bool:
        return self._callback is self._args is None

    def cancel(self) -> None:
        self._callback = self._args = None


class SlottedLoop(asyncio.SelectorEventLoop):
    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> Any:
        timer = super().call_at(when, callback, *args, context=context)
        self._scheduled: Any
        self._scheduled.remove(timer)
        timer.cancel()
        slotted = Slotted(timer, callback, args)
        self._scheduled.append(slotted)
        return slotted


class TimersWithoutWeakReferencesTest(AsyncTestCase):
    loop_factory = SlottedLoop

    def test_they_can_be_made(self) -> None:
        asyncio.get_event_loop().call_later(100, ignore).cancel()


class WeakNotesTest(unittest.TestCase):
    def test_a_note_goes_with_its_object(self) -> None:
        notes: WeakNotes[int] = WeakNotes()
        one, two = Incomparable(), Incomparable()
        self.assertTrue(notes.note(one, 1) and notes.note(two, 2))
        self.assertEqual([what for _, what in notes.known()], [1, 2])
        del one
        gc.collect()
        self.assertEqual((notes.of(two, None), [what for _, what in notes.known()]), (2, [2]))
        del two
        gc.collect()
        self.assertFalse(notes)

    def test_the_note_of_another_object_with_the_same_number_stays(self) -> None:
        notes: WeakNotes[str] = WeakNotes()
        old, new = Equal(), Equal()
        notes.note(old, "old")
        # As where objects go some time after their last reference.
        notes.note(new, "new")
        notes[id(old)] = notes.pop(id(new))
        number = id(old)
        self.assertIsNone(notes.of(old, None))
        del old
        gc.collect()
        self.assertEqual(notes[number][1], "new")

    def test_an_object_without_weak_references_has_none(self) -> None:
        notes: WeakNotes[int] = WeakNotes()
        self.assertFalse(notes.note(1, 1))
        self.assertIsNone(notes.of(1, None))
