import asyncio


class Bank:
    def __init__(self):
        self.balance = 100

    async def log_in(self):
        await asyncio.sleep(0.01)

    async def pay_in(self, amount):
        balance = self.balance
        await asyncio.sleep(0.01)  # Here the bank writes to its log.
        self.balance = balance + amount
