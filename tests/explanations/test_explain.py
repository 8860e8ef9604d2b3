import asyncio
import contextlib
import inspect
import re
import sys
import types
import typing
import unittest
from collections.abc import Awaitable, Callable
from typing import Any
from unittest import mock

from tornado import gen
from tornado.ioloop import IOLoop
from tornado.web import Application, Finish, HTTPError, RequestHandler
from tornado.websocket import WebSocketHandler

from asynctest_tornado import AsyncHTTPTestCase, AsyncTestCase, VirtualClock, VirtualNetwork, gen_test
from asynctest_tornado._explanations import await_lines, explain
from asynctest_tornado._explanations.described_history import BEGINS, FAILS, DescribedHistory, Description, Line
from asynctest_tornado._schedules import holds
from asynctest_tornado._schedules.call import Call
from asynctest_tornado._schedules.schedule import Schedule
from tests.samples import races
from tests.schedules.test_schedule import in_schedule
from tests.support import environ, run_case


def report_of(cls: type, orders: int = 60) -> str:
    """Return the report of a race that is found and shrunk."""
    with environ(ASYNC_TEST_SCHEDULES=str(orders)):
        return run_case(cls).report


def sentences_of(text: str) -> str:
    """Return the sentences in one line, without the places of lines, whose length varies."""
    text = text[text.rindex("It fails when") :].partition("Around the first")[0]
    return " ".join(re.sub(r"\S*(races|test_explain)\.py:\d+", "N", text).split())


class Account:
    def __init__(self, owner: str) -> None:
        self.owner = owner

    def __repr__(self) -> str:
        raise AssertionError("this is code of the user")


async def register(user: str, owners: dict[str, str]) -> None:
    await asyncio.sleep(0)
    if "name" not in owners:
        await asyncio.sleep(0)
        owners["name"] = user


async def register_two() -> None:
    owners: dict[str, str] = {}
    await asyncio.gather(register("first", owners), register("second", owners))


def explained(token: str, main: Callable[[], Awaitable[object]] = register_two) -> str:
    """Return what is said of an order."""
    histories = DescribedHistory(), DescribedHistory()
    deviations = holds.of_text(token)
    for history, chosen in zip(histories, (deviations, ()), strict=True):
        in_schedule(Schedule.of_holds(chosen, history=history), main)
    return explain.text(*histories, deviations)


def said_of(token: str, main: Callable[[], Awaitable[object]] = register_two) -> str:
    text = explained(token, main)
    return sentences_of(text) if "It fails when" in text else text


class SentenceTest(unittest.TestCase):
    maxDiff = None

    def test_both_tasks_both_lines_and_what_they_waited_for(self) -> None:
        self.assertIn(
            "It fails when `register('second', <dict>)` goes on at N (`if \"name\" not in owners:`), having waited for "
            "`asyncio.sleep(0)`, before `register('first', <dict>)` does at N (`if \"name\" not in owners:`), having "
            "waited for `asyncio.sleep(0)`. In asyncio's own order it is the other way round.",
            said_of("register.1.2-after-register.2.2"),
        )

    def test_several_deviations_are_numbered(self) -> None:
        said = said_of("register.1.2-after-register.2.2,register.1.3-after-register.2.3")
        self.assertRegex(said, r"^It fails when all of these happen: 1. `register\('second'.* goes on .* before ")
        self.assertRegex(said, r" 2. `register\('second'.* goes on at N \(`owners.* before `register\('first'")

    def test_deviations_that_are_all_the_other_way_round_say_so_once(self) -> None:
        async def main() -> None:
            async def work(number: int) -> None:
                await asyncio.sleep(0)
                len(str(number))

            await asyncio.gather(*map(work, range(3)))

        said = said_of("work.1.2-after-work.2.2,work.2.2-after-work.3.2", main)
        self.assertRegex(said, r"1\. `work\(2\)` goes on .* before `work\(1\)` .* 2\. `work\(1\)` goes on")
        self.assertEqual(said.count("other way round"), 1)
        self.assertRegex(said, r"In asyncio's own order, each of them is the other way round\.$")

    def test_a_line_to_which_a_task_comes_again(self) -> None:
        async def main() -> None:
            async def count() -> None:
                for _ in range(30):
                    await asyncio.sleep(0)

            await asyncio.gather(count(), register("first", {}))

        for step, times in (2, ""), (3, " for the second time"), (13, " for the 12th time"), (23, " for the 22nd time"):
            said = said_of(f"register.1.2-after-count.1.{step}", main)
            self.assertIn(f"It fails when `count()` goes on{times} at N (`for _ in range(30):`)", said)

    def test_a_call_that_asyncio_does_not_make_is_not_said_to_come_later(self) -> None:
        said = said_of("register.2.2-after-register.1.2")
        self.assertIn(" So it is in asyncio's own order, too; other deviations may change that.", said)
        self.assertNotIn("other way round", said)

    def test_a_moment_that_never_comes(self) -> None:
        self.assertIn("register.7.1 is held back or waited for in vain", said_of("register.1.2-after-register.7.1"))

    def test_a_step_that_nothing_else_can_go_before(self) -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        async def main() -> None:
            await asyncio.ensure_future(work())

        said = said_of("work.1.2-after-work.1.3", main)
        self.assertIn("work.1.2 is held back, and goes on before work.1.3 all the same.", said)

    def test_each_function_that_goes_on_has_its_line(self) -> None:
        log: list[str] = []

        async def write(line: str) -> None:
            await asyncio.sleep(0)
            log.append(line)

        async def pay(account: Account) -> None:
            await write("pays")
            account.owner = "nobody"

        async def look() -> str:
            await asyncio.sleep(0)
            return log[-1] if log else ""

        async def main() -> None:
            await asyncio.gather(pay(Account("anna")), look())

        self.assertIn(
            " before `pay(<Account anna>)` does at N (`log.append(line)`) and at N "
            '(`account.owner = "nobody"`), having waited for `asyncio.sleep(0)`.',
            said_of("pay.1.2-after-look.1.2", main),
        )

    def test_a_statement_that_is_not_done_goes_on_itself(self) -> None:
        async def main() -> None:
            future = asyncio.get_running_loop().create_future()

            async def ask() -> None:
                self.assertIsNone(await future)
                await asyncio.sleep(0)

            async def answer() -> None:
                future.set_result(None)
                await asyncio.sleep(0)

            await asyncio.gather(ask(), answer())

        self.assertIn(
            "`ask()` goes on at N (`self.assertIsNone(await future)`) up to N (`await asyncio.sleep(0)`) before ",
            said_of("answer.1.2-after-ask.1.2", main),
        )

    def test_an_error_that_ends_an_await(self) -> None:
        """No line after the await is claimed to be the one at which the task goes on."""

        async def main() -> None:
            future = asyncio.get_running_loop().create_future()

            async def ask() -> None:
                with contextlib.suppress(ValueError):
                    await future
                    raise AssertionError("it has no result")

            async def answer() -> None:
                future.set_exception(ValueError())
                await asyncio.sleep(0)

            await asyncio.gather(ask(), answer())

        said = said_of("answer.1.2-after-ask.1.2", main)
        self.assertIn("It fails when `ask()` gets an error at N (`await future`) before `answer()` ends at N", said)

    def test_an_error_of_a_function_that_is_waited_for(self) -> None:
        async def main() -> None:
            async def check() -> None:
                await asyncio.sleep(0)
                raise ValueError

            async def ask() -> None:
                with contextlib.suppress(ValueError):
                    await check()
                    raise AssertionError("it has no result")

            async def answer() -> None:
                await asyncio.sleep(0)

            await asyncio.gather(answer(), ask())

        said = said_of("answer.1.2-after-ask.1.2", main)
        self.assertIn("`ask()` goes on at N (`raise ValueError`) and at N (`await check()`), having waited", said)

    def test_an_error_that_a_function_further_out_handles(self) -> None:
        async def main() -> None:
            async def check() -> None:
                await asyncio.sleep(0)
                raise ValueError

            async def ask() -> None:
                await check()
                raise AssertionError("it has no result")

            async def ask_again() -> None:
                with contextlib.suppress(ValueError):
                    await ask()

            async def answer() -> None:
                await asyncio.sleep(0)

            await asyncio.gather(answer(), ask_again())

        said = said_of("answer.1.2-after-ask_again.1.2", main)
        self.assertIn("`ask_again()` goes on at N (`raise ValueError`) and at N (`await check()`), having waited", said)

    def test_a_time_limit_of_asyncio_handles_no_error(self) -> None:
        """The line after the await is known, though the outermost function is not the user's, and has a ``with``."""
        log: list[str] = []

        async def write(line: str) -> None:
            await asyncio.sleep(0)
            log.append(line)

        async def pay() -> None:
            await write("pays")
            log.append("has paid")

        async def look() -> None:
            await asyncio.sleep(0)

        async def main() -> None:
            await asyncio.gather(asyncio.wait_for(pay(), 5), look(), look())

        # Before Python 3.12, pay() has a task of its own.
        task = "wait_for" if sys.version_info >= (3, 12) else "pay"
        self.assertIn(
            '`pay()` goes on at N (`log.append(line)`) and at N (`log.append("has paid")`), having waited',
            said_of(f"{task}.1.2-after-look.2.2", main),
        )

    def test_an_error_that_leaves_a_time_limit_of_asyncio(self) -> None:
        async def main() -> None:
            async def check() -> None:
                await asyncio.sleep(0)
                raise ValueError

            async def ask() -> None:
                await check()
                raise AssertionError("it has no result")

            async def look() -> None:
                await asyncio.sleep(0)

            await asyncio.gather(asyncio.wait_for(ask(), 5), look(), look(), return_exceptions=True)

        task = "wait_for" if sys.version_info >= (3, 12) else "ask"
        self.assertIn(
            "`ask()` goes on at N (`raise ValueError`) and at N (`await check()`), having waited",
            said_of(f"{task}.1.2-after-look.2.2", main),
        )

    def test_a_coroutine_function_that_is_called_runs_no_line(self) -> None:
        async def main() -> None:
            async def answer() -> None:
                await asyncio.sleep(0)

            async def ask() -> None:
                IOLoop.current().add_callback(answer)
                await asyncio.sleep(0)
                await asyncio.sleep(0)

            await asyncio.ensure_future(ask())

        said = said_of("ask.1.2-after-_run_callback.1.1", main)
        self.assertIn(
            "It fails when `answer()` (by `ask()`) is called, so that the second `answer()` begins at N "
            "(`await asyncio.sleep(0)`), before `ask()` goes on at N (`await asyncio.sleep(0)`)",
            said,
        )

    def test_a_step_that_stays_in_a_library(self) -> None:
        async def main() -> None:
            items: asyncio.Queue[int] = asyncio.Queue()

            async def take() -> None:
                item = await items.get()
                len(str(item))

            async def steal() -> None:
                items.put_nowait(1)
                items.get_nowait()
                await asyncio.sleep(0)
                items.put_nowait(2)

            await asyncio.gather(take(), steal())

        said = said_of("steal.1.2-after-take.1.2", main)
        self.assertIn("It fails when `take()` goes on in `items.get()` at N (`item = await items.get()`) before", said)

    def test_coroutines_of_tornado(self) -> None:
        self.assertIn(
            """before `setup_coro()` does at N (`self.document = {"_id": 1}`), having waited for `gen.moment`.""",
            sentences_of(report_of(races.UseBeforeSetUpOfTornado)),
        )

    def test_generators_that_yield_coroutines(self) -> None:
        async def main() -> None:
            @gen.coroutine
            def write(name: str) -> Any:
                yield gen.moment
                yield from [gen.moment]
                return name

            await gen.multi([write("a"), write("b")])

        said = said_of("write.1.1-after-write.2.1", main)
        self.assertIn("It fails when `write('b')` goes on at N (`yield from [gen.moment]`), having waited for", said)


class TracedHistory(DescribedHistory):
    """Checks each line against a trace of the lines that the step has run."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[Description] = []
        self.checked = 0
        self._run: set[Line] = set()

    def begin(self, call: Call) -> None:
        super().begin(call)
        self._run.clear()

    def trace(self, frame: types.FrameType, event: str, arg: object) -> Any:
        if event == "line":
            self._run.add(Line(frame.f_code.co_filename, frame.f_lineno))
        return self.trace

    def end(self) -> None:
        super().end()
        place = len(self.calls) - 1
        description = self.describe(place)
        # Python reports no line that a coroutine was in the midst of.
        own = {Line(code.co_filename, await_lines.line_of(code, offset)) for code, offset in self._seen[place].places}
        self.checked += len(description.lines)
        if description.act != FAILS and not own | self._run >= set(description.lines):
            self.wrong.append(description)


class Coupon(RequestHandler):
    """Goes on in several ways after an await, and ends with errors that Tornado handles."""

    used: typing.ClassVar[set[str]] = set()

    async def prepare(self) -> None:
        if self.request.method == "PUT":
            await self.check()

    async def check(self) -> None:
        await asyncio.sleep(0)
        if self.path_args[0] == "unknown":
            raise HTTPError(404)

    async def post(self, name: str) -> None:
        if name in self.used:
            raise Finish
        await self.check()
        self.used.add(name)

    def put(self, name: str) -> None:
        self.used.discard(name)

    def options(self, name: str) -> None:
        self.set_header("Allow", "POST")


class Coupons(AsyncHTTPTestCase):
    network_factory = VirtualNetwork

    def get_app(self) -> Application:
        return Application([(r"/(\w+)", Coupon)])

    async def test(self) -> None:
        Coupon.used.clear()
        requests = (
            ("POST", "/a"),
            ("POST", "/a"),
            ("POST", "/unknown"),
            ("PUT", "/a"),
            ("PUT", "/unknown"),
            ("GET", "/"),
        )
        await asyncio.gather(
            *(
                self.async_fetch(path, method=method, allow_nonstandard_methods=True, raise_error=False)
                for method, path in (*requests, ("OPTIONS", "/a"), ("DELETE", "/a"))
            )
        )


class TruthTest(unittest.TestCase):
    def test_lines_of_request_handlers(self) -> None:
        for seed in range(4):
            with self.subTest(seed=seed):
                history = self.check(Coupons, seed)
                steps = [history.describe(place) for place in range(len(history.calls))]
                lines = {
                    line.source
                    for description in steps
                    if "Coupon serving" in description.label
                    for line in description.lines
                }
                # The last one is of requests that Tornado answers with 404.
                self.assertLessEqual({"self.used.add(name)", "await self.check()"}, lines)

    def test_the_first_line_of_a_handler_that_does_not_wait(self) -> None:
        history = self.check(Coupons, 0)
        steps = [history.describe(place) for place in range(len(history.calls))]
        firsts = {
            description.label: [line.source for line in description.lines]
            for description in steps
            if description.act == BEGINS
        }
        self.assertEqual(firsts["Coupon serving OPTIONS /a"], ['if self.request.method == "PUT":'])

    def test_each_line_that_a_step_is_said_to_run_was_run(self) -> None:
        for name, cls in vars(races).items():
            if isinstance(cls, type) and cls.__module__ == races.__name__:
                for seed in range(2):
                    with self.subTest(name, seed=seed):
                        self.check(cls, seed)

    def check(self, cls: Any, seed: int) -> TracedHistory:
        history = TracedHistory()
        schedule = Schedule.of_seed(seed, history=history)
        before = sys.gettrace()
        with environ(ASYNC_TEST_SEED=str(seed)), mock.patch.object(Schedule, "of_seed", return_value=schedule):
            sys.settrace(history.trace)
            try:
                run_case(cls)
            finally:
                sys.settrace(before)
        self.assertGreater(history.checked, 1)
        self.assertEqual(history.wrong, [])
        return history


class RaceTest(unittest.TestCase):
    """Races that are found, shrunk and explained."""

    def test_check_then_act(self) -> None:
        said = sentences_of(report_of(races.CheckThenAct))
        self.assertRegex(
            said, r"It fails when `register\('second'\)` goes on at N .*, before `register\('first'\)` does "
        )
        self.assertIn(" In asyncio's own order, `register('second')` does not come that far.", said)

    def test_a_task_that_begins(self) -> None:
        self.assertIn(
            "`withdraw(30)` begins at N (`rest = await read() - amount`) before `withdraw(20)` goes on at N "
            "(`return seen`) and at N (`rest = await read() - amount`), having waited for `asyncio.sleep(0)`. "
            "In asyncio's own order it is the other way round.",
            sentences_of(report_of(races.LostUpdate)),
        )

    def test_two_tasks_of_one_function_have_numbers(self) -> None:
        said = report_of(races.UnlockedCounter)
        self.assertIn(
            "the second `increment()` begins at N (`async with turn:`) before the first `increment()` goes on at N",
            sentences_of(said),
        )
        self.assertRegex(said, r"\n    increment #1 :\d+ begins  ")

    def test_a_request_and_the_task_that_has_made_it(self) -> None:
        said = report_of(races.OutOfOrderResponses)
        self.assertRegex(said, r"`request GET /3` \(by `ask\('/3'\)`\) connects\n  before `request GET /\d` \(by `ask")
        self.assertIn(
            "After that, `Number serving GET /3` begins at N (`await asyncio.sleep(0)`); in asyncio's own order, "
            "`Number serving GET /2` begins at N (`await asyncio.sleep(0)`) instead.",
            sentences_of(said),
        )
        columns = [re.findall(rf"{place}Number GET /(\d) :\d+ begins", said) for place in (r"\n    ", r"\S   *")]
        self.assertEqual(columns, [["1", "3", "2"], ["1", "2", "3"]])
        self.assertRegex(said, r"\n    ask\('/3'\) :\d+ answers\..*ask\('/2'\) :\d+ answers\.")

    def test_the_line_of_the_test_in_its_last_step(self) -> None:
        """The coroutine of the library that runs the test handles no error."""
        log: list[str] = []

        class Sample(AsyncTestCase):
            async def look(self) -> None:
                await asyncio.sleep(0)

            async def work(self) -> None:
                for _ in range(3):
                    await asyncio.sleep(0)
                log.append("work")

            async def test(self) -> None:
                log.clear()
                work = asyncio.ensure_future(self.work())
                await self.look()
                log.append("test")
                await work
                self.assertEqual(log, ["test", "work"])

        self.assertRegex(
            sentences_of(report_of(Sample)), r"`test\(\)` does at N \(`log.append\(\"test\"\)`\), having waited for "
        )

        class OfGenerator(Sample):
            @gen_test
            def test(self) -> Any:
                log.clear()
                work = asyncio.ensure_future(self.work())
                yield self.look()
                log.append("generator")
                yield work
                self.assertEqual(log, ["generator", "work"])

        said = report_of(OfGenerator)
        self.assertNotIn("yield self.look()", said)
        self.assertIn('log.append("generator")', said)

    def test_a_callback_and_a_task_that_it_has_cancelled(self) -> None:
        """The line is the one at which the task would have gone on, and not the one at which it was cancelled."""

        class Sample(AsyncTestCase):
            is_ready = False

            async def prepare(self) -> None:
                await asyncio.sleep(0)
                self.is_ready = True

            def look(self) -> None:
                self.assertTrue(self.is_ready)

            async def test(self) -> None:
                task = asyncio.ensure_future(self.prepare())
                for _ in range(3):
                    await asyncio.sleep(0)
                self.io_loop.add_callback(self.look)
                await task
                await asyncio.sleep(0)

        self.assertIn(
            "`Sample.look()` is called at N (`self.assertTrue(self.is_ready)`) before `prepare()` goes on at N "
            "(`self.is_ready = True`)",
            sentences_of(report_of(Sample, 200)),
        )


class Shop(RequestHandler):
    def initialize(self, left: list[str]) -> None:
        self.left = left

    async def post(self, customer: str) -> None:
        if self.left:
            await asyncio.sleep(0)
            self.sell(customer)

    def sell(self, customer: str) -> None:
        self.write(f"{customer} gets {self.left.pop() if self.left else 'nothing'}")


class Chat(WebSocketHandler):
    def initialize(self, room: list["Chat"]) -> None:
        self.room = room

    def open(self) -> None:
        self.room.append(self)

    async def on_message(self, text: str) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        for each in self.room:
            each.write_message(text)


class News(RequestHandler):
    def initialize(self, room: list[Chat]) -> None:
        self.room = room

    def get(self) -> None:
        self.finish()
        for each in self.room:
            each.write_message("news")


class LibraryTest(unittest.TestCase):
    """Steps inside Tornado's clients and servers are description by their effects."""

    maxDiff = None

    def report(self, token: str, test: Callable[[Any], Awaitable[None]]) -> str:
        class Sample(AsyncHTTPTestCase):
            clock_factory = VirtualClock
            network_factory = VirtualNetwork

            def get_app(self) -> Application:
                room: list[Chat] = []
                handlers = (r"/(\w+)/buy", Shop, {"left": ["tea"]}), ("/chat", Chat, {"room": room})
                return Application([*handlers, ("/news", News, {"room": room})])

            async def test(self) -> None:
                await test(self)

        with environ(ASYNC_TEST_ORDER=token):
            return run_case(Sample).report

    def test_handlers_have_the_names_of_their_requests(self) -> None:
        async def buy(case: AsyncHTTPTestCase, customer: str, turns: int) -> str:
            for _ in range(turns):
                await asyncio.sleep(0)
            return (await case.async_fetch(f"/{customer}/buy", method="POST", body="")).body.decode()

        async def test(case: AsyncHTTPTestCase) -> None:
            got = await asyncio.gather(buy(case, "anna", 0), buy(case, "bob", 3))
            case.assertNotIn("bob gets nothing", got)

        report = self.report("_execute.1.2-after-_execute.2.1", test)
        self.assertIn(
            "It fails when `Shop serving POST /bob/buy` begins at N (`if self.left:`) "
            "before `Shop serving POST /anna/buy` goes on at N (`self.sell(customer)`), having waited for",
            sentences_of(report),
        )
        self.assertRegex(report, r"\n -> Shop POST /bob/buy :\d+ begins   .*Shop POST /anna/buy :\d+ ")

    def test_messages_that_a_handler_reads(self) -> None:
        async def test(case: AsyncHTTPTestCase) -> None:
            async with case.ws_connect("/chat") as one, case.ws_connect("/chat") as other:
                await asyncio.gather(one.write_message("first"), other.write_message("second"))
                case.assertEqual([await one.read_message(), await one.read_message()], ["first", "second"])

        report = self.report("_execute.1.2-after-_execute.2.2", test)
        self.assertIn(
            "It fails when the second `Chat serving GET /chat` reads a message, so that `on_message('second')` begins "
            "at N (`await asyncio.sleep(0)`), before the first `Chat serving GET /chat` does, so that "
            "`on_message('first')` begins",
            sentences_of(report),
        )
        # They have other numbers in the two orders.
        self.assertRegex(
            report,
            r"\n    on_message\('second'\) :\d+ begins  .*\n    on_message\('first'\) :\d+ begins  .*'second'\) :",
        )

    def test_a_message_and_a_response(self) -> None:
        log: list[str] = []

        async def ask(case: AsyncHTTPTestCase) -> None:
            await case.async_fetch("/news")
            log.append("response")

        async def listen(socket: Any) -> None:
            await socket.read_message()
            log.append("message")

        async def test(case: AsyncHTTPTestCase) -> None:
            log.clear()
            async with case.ws_connect("/chat") as socket:
                await asyncio.gather(listen(socket), ask(case))
            case.assertEqual(log, ["message", "response"])

        report = self.report("_receive_frame_loop.1.2-after-_run_callback.2.1", test)
        self.assertRegex(
            sentences_of(report),
            r"It fails when a callback of asynctest_tornado \(by `ask\(.*\)`\) is called, so that `ask\(.*\)` goes on "
            r"at N \(`log.append\(\"response\"\)`\), before `websocket /chat of the client` \(by `test\(\)`\) reads a "
            r"message, so that `listen\(<WebSocket>\)` goes on at N \(`log.append\(\"message\"\)`\)\. In asyncio's own",
        )


class CompareTest(unittest.TestCase):
    def test_the_first_step_that_differs_stands_side_by_side(self) -> None:
        report = report_of(races.DoubleClose)
        begin = report.index("Around the first step that differs, in races.py:")
        lines = report[begin:].splitlines()[1:6]
        self.assertRegex(lines[0], r"^ {4}this order {39}asyncio's own order$")
        self.assertRegex(lines[1], r"^ {4}close :\d+ begins +close :\d+ begins$")
        self.assertRegex(lines[3], r"^ -> on_error :\d+ await .* close :\d+ closed \+= 1$")
        self.assertLessEqual(max(map(len, lines)), 100)

    def test_steps_in_between_are_left_out(self) -> None:
        async def main() -> None:
            async def prepare() -> None:
                await asyncio.sleep(0)
                len("ready")

            async def count() -> None:
                for _ in range(20):
                    await asyncio.sleep(0)
                len("counted")

            await asyncio.gather(prepare(), count())

        lines = explained("prepare.1.2-after-count.1.21", main).splitlines()
        place = next(place for place, line in enumerate(lines) if re.fullmatch(r" {4}\.\.\. +\.\.\.", line))
        self.assertRegex(lines[place + 1], r"^ {4}count \S+:\d+ for _ in range\(20\):")
        self.assertRegex("\n".join(lines[place + 2 : place + 5]), r'(?m)^ {4}prepare \S+:\d+ len\("ready"\)')

    def test_long_names_stand_one_below_the_other(self) -> None:
        async def main() -> None:
            async def a_function_with_a_long_name(number: int, what: str) -> None:
                await asyncio.sleep(0)
                len("of a function with a long name")

            await asyncio.gather(
                *(a_function_with_a_long_name(number, "what") for number in range(10_000_000, 10_000_003))
            )

        function = "a_function_with_a_long_name"
        said = explained(f"{function}.1.2-after-{function}.2.2", main)
        self.assertIn(f"\n  this order:\n    {function}(10000001, 'what') test_explain.py:", said)
        self.assertIn(f"\n  asyncio's own order:\n    {function}(10000001, 'what') test_explain.py:", said)


class Moment:
    def __await__(self):  # type: ignore[no-untyped-def]
        yield

    async def __aenter__(self) -> None:
        await self

    async def __aexit__(self, *error: object) -> None:
        await self

    def __aiter__(self) -> "Moment":
        return self

    def itself(self) -> "Moment":
        return self

    async def __anext__(self) -> None:
        await self


class LineAfterTest(unittest.TestCase):
    """The line at which a coroutine goes on is read from its code."""

    def begin(self, coro: object) -> tuple[Any, int]:
        """Let a coroutine come to its first await. Return its code and the place."""
        assert inspect.iscoroutine(coro)
        coro.send(None)
        frame, code = coro.cr_frame, coro.cr_code
        assert frame is not None
        place = code, frame.f_lasti
        coro.close()
        return place

    def check(self, coro: object, source: str | None, awaited: str = "Moment()") -> None:
        code, offset = self.begin(coro)
        number = await_lines.line_after(code, offset)
        lines = inspect.getsourcelines(code)[0]
        self.assertEqual(None if number is None else lines[number - code.co_firstlineno].strip(), source)
        self.assertEqual(await_lines.awaited(code, offset), awaited)

    def test_the_next_statement(self) -> None:
        async def plain() -> None:
            await Moment()
            len("next")

        async def local() -> None:
            value = await Moment()
            len(str(value))

        async def two() -> None:
            one, other = await Moment(), 2
            len(f"{one}{other}")

        async def in_try() -> None:
            try:
                await Moment()
            finally:
                len("next")

        async def loop() -> None:
            for _ in range(2):
                await Moment()

        async def for_ever() -> None:
            while True:
                await Moment()
                len("next")

        async def lock() -> None:
            async with Moment():
                len("next")

        self.check(plain(), 'len("next")')
        self.check(local(), "len(str(value))")
        self.check(in_try(), 'len("next")')
        self.check(loop(), "for _ in range(2):")
        self.check(for_ever(), 'len("next")')
        self.check(lock(), 'len("next")', "async with Moment()")
        self.check(two(), "one, other = await Moment(), 2")

    def test_the_same_statement(self) -> None:
        shared = None

        async def condition() -> None:
            if await Moment() is None:
                len("next")

        async def expression() -> None:
            len(str(await Moment()))
            len("next")

        async def in_lines() -> None:
            max(
                await Moment(),
                1,
            )
            len("next")

        async def in_closure() -> None:
            nonlocal shared
            shared = await Moment()
            len("next")

        async def iteration() -> None:
            async for _ in Moment():
                len("next")

        self.check(condition(), "if await Moment() is None:")
        self.check(expression(), "len(str(await Moment()))")
        self.check(in_lines(), "await Moment(),")
        self.check(in_closure(), "shared = await Moment()")
        self.check(iteration(), "async for _ in Moment():", "async for _ in Moment()")

    def test_no_line(self) -> None:
        async def last() -> None:
            await Moment()

        async def returns() -> Any:
            return await Moment()

        self.check(last(), None)
        self.check(returns(), None)

    def test_an_object_that_is_written_in_several_lines(self) -> None:
        def moment(number: int, *, name: str) -> Moment:
            return Moment()

        async def main() -> None:
            await moment(
                1,
                name="one",
            )

        async def chained() -> None:
            await (
                moment(1, name="one")  # a comment
                # another one
                .itself()
                .itself()
            )

        async def block() -> None:
            async with (
                Moment() as one,
                Moment(),
            ):
                len(str(one))

        async def iteration() -> None:
            async for _ in moment(
                *[1],
                name="one",
            ):
                len("next")

        self.check(chained(), None, '(moment(1, name="one").itself().itself())')
        code, offset = self.begin(block())
        # From Python 3.12 on, each of the two has a line of its own.
        self.assertIn(await_lines.awaited(code, offset), ("async with (Moment() as one, Moment())", "Moment()"))
        code, offset = self.begin(iteration())
        self.assertEqual(await_lines.awaited(code, offset), 'async for _ in moment(*[1], name="one")')
        line = Line(code.co_filename, await_lines.line_of(code, offset))
        self.assertEqual(line.source, 'async for _ in moment(*[1], name="one"):')
        self.check(main(), None, 'moment(1, name="one")')
