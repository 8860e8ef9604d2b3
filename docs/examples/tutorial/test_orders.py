import asyncio

from asynctest_tornado import AsyncTestCase, VirtualClock

from bank import Bank


class BankTest(AsyncTestCase):
    clock_factory = VirtualClock
    schedules = 50

    async def test_two_customers(self):
        bank = Bank()

        async def customer():
            await bank.log_in()
            await bank.pay_in(20)

        await asyncio.gather(bank.pay_in(10), customer())
        self.assertEqual(bank.balance, 130)
