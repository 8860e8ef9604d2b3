"""An ``HTTPError`` that comes too late for a response: below 500 Tornado logs a warning, and no test fails."""

import logging
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tornado import gen, web, websocket

from asynctest_tornado import AsyncHTTPTestCase
from tests.support import RecordingResult, run_body


@contextmanager
def records() -> Iterator[list[logging.LogRecord]]:
    """Collect the records of Tornado's loggers."""
    found: list[logging.LogRecord] = []

    class Recorder(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record)

    handler = Recorder()
    logger = logging.getLogger("tornado")
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


class Handler(web.RequestHandler):
    """Raises the code that the query names, at the place that the path names."""

    def refuse(self, place: str) -> None:
        if self.request.path == f"/{place}":
            raise web.HTTPError(int(self.get_query_argument("code")), "planted")

    async def prepare(self) -> None:
        if self.request.path == "/prepare_after_finish":
            self.set_status(403)
            self.finish("no")
        if self.request.path == "/prepare_after_a_turn":
            self.finish("fine")
            await gen.sleep(0)
        self.refuse("prepare_after_finish")
        self.refuse("prepare_after_a_turn")

    async def get(self) -> None:
        self.write("fine")
        if self.request.path == "/after_flush":
            await self.flush()
            self.refuse("after_flush")
        self.finish()
        self.refuse("after_finish")
        self.refuse("logged_as_an_error")

    def on_finish(self) -> None:
        self.refuse("on_finish")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if self.request.path == "/logged_as_an_error":
            logging.getLogger("tornado.application").error("Mine", exc_info=(typ, value, tb))
        else:
            super().log_exception(typ, value, tb)


class SocketHandler(websocket.WebSocketHandler):
    def on_close(self) -> None:
        raise web.HTTPError(int(self.get_query_argument("code")), "planted")

    async def on_message(self, message: str | bytes) -> None:
        self.close()


class Case(AsyncHTTPTestCase):
    def get_app(self) -> web.Application:
        return web.Application([("/socket", SocketHandler), ("/.*", Handler)], log_function=lambda handler: None)


class StrictCase(Case):
    fail_on_server_error = True


PLACES = (
    "prepare_after_finish",
    "prepare_after_a_turn",
    "after_flush",
    "after_finish",
    "logged_as_an_error",
    "on_finish",
)


def fetches(place: str, code: int) -> Callable[[Case], None]:
    def test(case: Case) -> None:
        case.assertEqual(case.fetch(f"/{place}?code={code}").code, 403 if place == "prepare_after_finish" else 200)
        case.run_sync(gen.sleep, 0)
        if code < 500:
            case.assertEqual(case.server_errors, [])

    return test


class LateRefusalTest(unittest.TestCase):
    def run_case(self, cls: type[Case], place: str, code: int) -> tuple[RecordingResult, list[logging.LogRecord]]:
        with records() as found:
            return run_body(cls, fetches(place, code)), found

    def test_below_500_it_is_an_answer_that_is_logged_as_a_warning(self) -> None:
        for cls in Case, StrictCase:
            for place in PLACES:
                with self.subTest(cls=cls, place=place):
                    result, found = self.run_case(cls, place, 403)
                    self.assertEqual(result.verdicts, ["addSuccess"], result.report)
                    level = logging.ERROR if place == "logged_as_an_error" else logging.WARNING
                    self.assertEqual(found[0].levelno, level)

    def test_from_500_on_it_is_an_error(self) -> None:
        for place in PLACES:
            with self.subTest(place=place):
                result, _ = self.run_case(Case, place, 500)
                self.assertEqual(result.verdicts, ["addError"], result.report)
                self.assertEqual(result.report.count("HTTP 500: Internal Server Error (planted)"), 1, result.report)

    def test_at_the_end_of_a_websocket(self) -> None:
        for message in "close", None:  # the server closes it, or the client
            for code, verdict in (403, "addSuccess"), (503, "addError"):
                with self.subTest(message=message, code=code), records():

                    async def test(case: Case, message: str | None = message, code: int = code) -> None:
                        async with case.ws_connect(f"/socket?code={code}") as socket:
                            if message is not None:
                                await socket.write_message(message)
                                case.assertIsNone(await socket.read_message())

                    result = run_body(Case, test)
                    self.assertEqual(result.verdicts, [verdict], result.report)
