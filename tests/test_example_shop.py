"""The example ``shop``: its tests pass, and find planted bugs; the program works as its docstring describes."""

import asyncio
import contextlib
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import tempfile
import unittest
from pathlib import Path

import examples.shop
from asynctest_tornado import AsyncTestCase, HTTPTestServer
from examples.shop.provider import Provider
from tests import planted_bugs
from tests.planted_bugs import Bug
from tests.support import ROOT, run_example, run_python, start_example

BUGS: tuple[Bug, ...] = (
    Bug("app", "        self.manager()\n        name,", "        name,", "test_a_customer_adds_none"),
    Bug("app", "self.user() not in self.shop.settings.managers", "False", "test_a_customer_adds_none"),
    Bug("app", "default_handler_class=UnknownHandler,", "", "test_an_unknown_path"),
    Bug(
        "store",
        "except aiosqlite.IntegrityError as error:\n                raise Refusal(409",
        "except ZeroDivisionError as error:\n                raise Refusal(409",
        "test_a_name_is_given_once",
    ),
    Bug("app", 'self.set_header("Content-Type", picture["type"])', "", "test_upload"),
    Bug("store", "REPLACE INTO pictures", "INSERT INTO pictures", "test_a_second_picture_replaces_the_first"),
    Bug("app", "len(file.body) > self.shop.settings.largest_picture", "False", "test_refused"),
    Bug("app", "file.content_type not in PICTURES", "False", "test_refused"),
    Bug("store", "quantity + excluded.quantity", "excluded.quantity", "test_a_basket_is_filled"),
    Bug("app", "type(fields.get(name)) is not kind", "not isinstance(fields.get(name), kind)", "test_malformed"),
    Bug("app", "if quantity < 1:", "if False:", "test_malformed"),
    Bug("store", "if stock < quantity:", "if False:", "test_more_than_there_is"),
    Bug(
        "store", "async with self._turn:\n            try:", "if True:\n            try:", "test_two_want_the_last_one"
    ),
    Bug(
        "store",
        'await db.execute("DELETE FROM baskets WHERE user = ?", (user,))',
        "pass",
        "test_an_order_empties_the_basket",
    ),
    Bug(
        "app",
        'if order.pop("user") != self.user():',
        'if order.pop("user") != self.user() and False:',
        "test_an_order_is_private",
    ),
    Bug(
        "store",
        "if not moved.rowcount or number is None:",
        "if number is None:",
        "test_an_order_of_nothing",
    ),
    Bug("store", "await self._connection.rollback()", "pass", "test_an_order_that_fails_leaves_nothing"),
    Bug("store", "PRAGMA user_version = {number}; ", "", "test_a_database_stays"),
    Bug("store", "MIGRATIONS[version:]", "MIGRATIONS[version + 1 :]", "test_an_older_database"),
    Bug("store", "WHERE touched < ?", "WHERE touched <= ?", "test_an_abandoned_basket_is_emptied"),
    Bug(
        "store", "DELETE FROM baskets WHERE touched < ?", "DELETE FROM baskets WHERE 0 < ?", "test_another_basket_stays"
    ),
    Bug("store", "UPDATE baskets SET touched = ? WHERE user = ?", "SELECT ?, ?", "test_a_basket_in_use_stays"),
    Bug("shop", "            self.feed.publish(change)", "            pass", "test_who_watches_sees_it_come_back"),
    Bug("shop", "shop._sweeper.start()", "pass", "test_an_abandoned_basket_is_emptied"),
    Bug(
        "app",
        'get_signed_cookie("user")',
        'get_signed_cookie("user", max_age_days=366)',
        "test_who_is_signed_in_stays_so_for_a_month",
    ),
    Bug("app", "self.shop.bill_soon(number)", "pass", "test_the_invoice_follows"),
    Bug("invoice", "    if child.returncode:", "    if False:", "test_a_failed_invoice_is_written_by_the_next_program"),
    Bug(
        "shop",
        "            shop.bill_soon(order)",
        "            pass",
        "test_a_failed_invoice_is_written_by_the_next_program",
    ),
    Bug("invoice", 'line["quantity"] * line["cents"])', 'line["cents"] / 0)', "test_the_invoice_follows"),
    Bug("shop", "            await self._answered.wait()", "            break", "test_a_request_has_its_answer"),
    Bug("app", 'self.clear_cookie("user")', "pass", "test_sign_out"),
    Bug(
        "app",
        "if state is None or not secrets.compare_digest(",
        "if False and not secrets.compare_digest(",
        "test_an_answer_to_no_question",
    ),
    Bug(
        "app",
        'cookie = self.get_signed_cookie("user")',
        'cookie = (self.get_cookie("user") or "").encode()',
        "test_a_forged_cookie",
    ),
    Bug("app", "if error.code in (400, 401):", "if False:", "test_a_provider_that_refuses"),
    Bug("app", "except OSError as error:", "except ZeroDivisionError as error:", "test_a_provider_with_trouble"),
    Bug("app", "if change.product in self.watched:", "if True:", "test_a_watched_product"),
    Bug(
        "app",
        "except (ValueError, RecursionError, KeyError, TypeError):",
        "except (ValueError, KeyError):",
        "test_malformed",
    ),
    Bug("app", 'self.close(1001, "the shop closes")', "pass", "test_the_end_of_the_shop"),
    Bug(
        "app",
        "self.send(change)\n                    await self.flush()",
        "self.send(change)",
        "test_all_products_and_each_change",
    ),
    Bug("app", "\\n\\n", "\\n", "test_all_products_and_each_change"),
    Bug("app", "self.shop.feed.publish(Change(number, stock))", "pass", "test_a_new_product"),
    Bug(
        "app",
        "    def on_connection_close(self) -> None:",
        "    def on_connection_closed(self) -> None:",
        "EventsTest.test_a_client_that_leaves",
    ),
    Bug("app", "    def on_close(self) -> None:", "    def on_closed(self) -> None:", "test_a_client_that_leaves"),
    Bug(
        "shop",
        "except (OSError, ValueError) as error:",
        "except OSError as error:",
        "test_reload_of_malformed_settings",
    ),
    Bug("shop", "self.settings = settings.read(self.path)", "settings.read(self.path)", "test_reload"),
    Bug("shop", "                await self.bill(order)", "                self.bill_soon(order)", "test_termination"),
    Bug("shop", "self.feed.publish(None)", "pass", "test_termination_with_clients"),
)


#: ``python -m unittest``. A database that a bug leaves open has a thread that would keep the process.
RUN = """
import os, sys, unittest
program = unittest.main(module=None, argv=["python -m unittest", *sys.argv[1:]], exit=False)
sys.stderr.flush()
os._exit(not program.result.wasSuccessful())
"""


class SuiteTest(unittest.TestCase):
    def test_it_passes(self) -> None:
        """The tests of the example pass, skip nothing, and print nothing but unittest's report."""
        done = run_example("examples/shop")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\A\.+\n-+\nRan [1-9]\d* tests in [\d.]+s\n\nOK\n\Z")

    def test_its_functions_pass(self) -> None:
        """The test functions of the example pass under pytest."""
        done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "examples/shop/functions_test.py")
        self.assertRegex(done.stdout, r"\n[1-9]\d* passed in ")
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_it_finds_bugs(self) -> None:
        """Where a bug is planted in the example, the test fails that is about it."""
        planted_bugs.check(self, "shop", BUGS, "2", ("-c", RUN))


class ProgramTest(AsyncTestCase):
    async_test_timeout = 60

    async def asyncSetUp(self) -> None:
        provider = Provider(shop="of the shop")
        self.provider = await self.enterAsyncContext(HTTPTestServer(provider.make_app()))
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        shipped = (ROOT / "examples/shop/shop.toml").read_text(encoding="utf-8")
        settings = shipped.replace("http://127.0.0.1:8889", self.provider.get_url(""))
        settings = settings.replace("for this machine only, too", "of the shop")
        self.folder.joinpath("shop.toml").write_text(settings, encoding="utf-8")

    def start(self) -> tuple["subprocess.Popen[str]", str]:
        """Run the program, on an unused port; return the process and its URL."""
        settings = f"--settings={self.folder / 'shop.toml'}", f"--database={self.folder / 'shop.db'}"
        return start_example(self, "examples.shop", *settings)

    async def type_in(self, line: str) -> str:
        """Run a command; return its output."""
        words = shlex.split(line)
        if shutil.which(words[0]) is None:
            self.skipTest(f"{words[0]} is not installed")
        environment = {**os.environ, "no_proxy": "*"}
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*words, "-sS", cwd=self.folder, env=environment, stdout=pipe)
        output, _ = await process.communicate()
        self.assertEqual(process.returncode, 0)
        return output.decode()

    async def test_by_hand(self) -> None:
        """The commands in the docstring have results; the order has its invoice when the program has ended."""
        process, url = self.start()
        assert examples.shop.__doc__ is not None
        doc = examples.shop.__doc__.replace("http://127.0.0.1:8888", url)
        commands = re.findall(r"^    (curl .*-[bc] .*)$", doc, re.MULTILINE)
        answers = [json.loads(await self.type_in(command)) for command in commands]
        self.assertEqual(len(answers), 5)
        self.assertEqual(answers[0], {"basket": []})
        self.assertEqual(answers[1:], [{"id": 1}, answers[2], {"id": 1}, answers[4]])
        self.assertEqual(answers[4]["lines"], [{"name": "Tea", "quantity": 2, "cents": 400}])
        process.terminate()
        self.assertEqual(await asyncio.to_thread(process.communicate), ("", ""))
        self.assertEqual(process.returncode, 0)
        with contextlib.closing(sqlite3.connect(self.folder / "shop.db")) as database:
            [[invoice]] = database.execute("SELECT invoice FROM orders")
        self.assertRegex(invoice, r"(?s)^Invoice 1 for anna, .*2 x Tea +8\.00\nTotal +8\.00\n$")
