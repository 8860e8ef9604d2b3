"""A race in one file: the test passes in asyncio's own order, and fails in another one."""

import asyncio

from asynctest_tornado import AsyncTestCase, VirtualClock


class Bank:
    def __init__(self):
        self.balances = {"anna": 100, "bob": 100, "carl": 100}

    async def write_log(self):
        await asyncio.sleep(0.01)  # the disk

    async def transfer(self, source, target, amount):
        rest = self.balances[source] - amount
        total = self.balances[target] + amount
        await self.write_log()
        self.balances[source] = rest
        self.balances[target] = total


class BankTest(AsyncTestCase):
    clock_factory = VirtualClock

    async def test_two_people_pay_a_third(self):
        bank = Bank()

        async def log_in_and_pay():
            await bank.write_log()
            await bank.transfer("bob", "carl", 20)

        await asyncio.gather(bank.transfer("anna", "carl", 10), log_in_and_pay())
        self.assertEqual(sum(bank.balances.values()), 300)
