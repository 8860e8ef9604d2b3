"""Tests of code that works by luck, and of the same code after that. All pass."""

import asyncio
from collections.abc import Generator
from typing import Any, ClassVar

from tornado import gen

from asynctest_tornado import AsyncTestCase, VirtualClock

from .bank import Account, Bank, InsufficientFunds, LockedAccountsBank, LockedBank, OrderedLocksBank
from .store import Store


class StoreTestCase(AsyncTestCase):
    """For the tests of the first part: a store, and a coroutine that prepares it."""

    store: Store

    def setUp(self) -> None:
        super().setUp()
        self.store = self.run_sync(self.enterAsyncContext, Store())

    @gen.coroutine
    def setup_coro(self) -> Generator[Any, Any, None]:
        """Put one document into the store, and remove all others."""
        yield self.store.delete_many()
        yield self.store.insert_one({"_id": 1})


class SetUpIsNotAwaitedTest(StoreTestCase):
    """Part 1. setUp calls the coroutine and does not wait for it, and the test passes.

    ``setup_coro`` has asked the store to remove all documents when setUp returns. Then the test asks for document 2,
    and both of them are answered, ``setup_coro`` first. So asyncio lets it go on first, and it asks to insert document
    1; only then does the test ask for that.

    asyncio has not promised that the test comes second. Without its first line it comes first, and fails.
    """

    # As without any setting: asyncio's own order. Written down, because ASYNC_TEST_SCHEDULES would find the mistake.
    schedules = 1

    def setUp(self) -> None:
        super().setUp()
        self.setup_coro()

    async def test_find_one(self) -> None:
        """A document is found by its id, if setup_coro has come that far."""
        self.assertIsNone(await self.store.find_one(2))
        self.assertEqual(await self.store.find_one(1), {"_id": 1})


class RunSyncTest(StoreTestCase):
    """With ``run_sync``, setUp waits for the coroutine. In no order can the test begin before the document is there."""

    schedules = 50

    def setUp(self) -> None:
        super().setUp()
        self.run_sync(self.setup_coro)

    async def test_find_one(self) -> None:
        """A document is found by its id."""
        self.assertIsNone(await self.store.find_one(2))
        self.assertEqual(await self.store.find_one(1), {"_id": 1})


class AsyncSetUpTest(StoreTestCase):
    """The same with ``asyncSetUp``, which is a coroutine itself."""

    schedules = 50

    async def asyncSetUp(self) -> None:
        await self.setup_coro()

    async def test_find_one(self) -> None:
        """A document is found by its id."""
        self.assertIsNone(await self.store.find_one(2))
        self.assertEqual(await self.store.find_one(1), {"_id": 1})


class BankTestCase(AsyncTestCase):
    """For the tests of the second part: a bank, in which three people have 100 each.

    To write into the log takes time, which is virtual. Two writes that take equally long end at the same moment then,
    to the last digit, and the order decides which task goes on first. In real time, the computer would decide, too.
    """

    clock_factory = VirtualClock
    bank_type: ClassVar[type[Bank]]

    def setUp(self) -> None:
        super().setUp()
        self.bank = self.bank_type()
        self.anna, self.bob, self.carl = (Account(owner, 100) for owner in ("anna", "bob", "carl"))

    async def come_and_pay(self, source: Account, target: Account, amount: int) -> None:
        """Log in, which takes as long as a transfer, and then transfer money."""
        await self.bank.log_in(source)
        await self.bank.transfer(source, target, amount)

    def assert_money_is_conserved(self) -> None:
        """Check that no money was made or lost: it has only moved."""
        self.assertEqual(self.anna.balance + self.bob.balance + self.carl.balance, 300)


class BankTest(BankTestCase):
    """Part 2. A bank that reads, waits and writes. By luck, no transfer reads while another one waits.

    Anna's transfer is in the log at the moment at which Bob is logged in, and both could go on. In asyncio's own order
    Anna does, who began first: when Bob's transfer reads the balances, hers has been made.
    """

    schedules = 1
    bank_type = Bank

    async def test_two_people_pay_a_third(self) -> None:
        """Both payments arrive."""
        first = self.bank.transfer(self.anna, self.carl, 10)
        second = self.come_and_pay(self.bob, self.carl, 20)
        await asyncio.gather(first, second)
        self.assert_money_is_conserved()
        self.assertEqual(self.carl.balance, 130)

    async def test_money_is_spent_once(self) -> None:
        """An owner of 100 cannot pay 80 twice."""
        first = self.bank.transfer(self.anna, self.bob, 80)
        second = self.come_and_pay(self.anna, self.carl, 80)
        results = await asyncio.gather(first, second, return_exceptions=True)
        self.assert_money_is_conserved()
        self.assertCountEqual(map(type, results), [type(None), InsufficientFunds])


class LockedBankTest(BankTest):
    """With a lock around each transfer, no transfer reads while another one is between reading and writing."""

    schedules = 50
    bank_type: ClassVar[type[Bank]] = LockedBank

    async def test_all_at_once(self) -> None:
        """With a lock it takes no luck, even if all transfers begin at the same moment."""
        people = self.anna, self.bob, self.carl
        payments = [(source, target) for source in people for target in people if source is not target]
        await asyncio.gather(*(self.bank.transfer(source, target, 10) for source, target in payments * 3))
        self.assert_money_is_conserved()
        self.assertEqual([account.balance for account in people], [100, 100, 100])


class LockedAccountsTest(BankTestCase):
    """Part 3. A lock for each account, so that transfers wait only for others of these accounts. It works by luck, too.

    Anna's transfer locks her own account, and Bob's when it is in the log. That is the moment at which Bob is logged
    in, and his transfer locks his account. In asyncio's own order hers is done by then.
    """

    schedules = 1
    bank_type: ClassVar[type[Bank]] = LockedAccountsBank

    async def test_there_and_back(self) -> None:
        """Two people pay each other."""
        first = self.bank.transfer(self.anna, self.bob, 10)
        second = self.come_and_pay(self.bob, self.anna, 20)
        await asyncio.gather(first, second)
        self.assert_money_is_conserved()
        self.assertEqual((self.anna.balance, self.bob.balance), (110, 90))


class OrderedLocksTest(LockedBankTest, LockedAccountsTest):
    """If all transfers take the locks in the same order, no two of them wait for each other."""

    bank_type = OrderedLocksBank
