"""A bank, and four ways to move money in it: two that work by luck, and two that work."""

import asyncio
from dataclasses import dataclass, field

#: How long it takes to write a line into the log, in seconds.
WRITE_TIME = 0.01


class InsufficientFunds(Exception):
    """There is less in an account than somebody wants to take out of it."""


@dataclass
class Account:
    """Money that belongs to somebody."""

    owner: str
    balance: int
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class AuditLog:
    """What the bank has done, for those who check it later."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def write(self, line: str) -> None:
        """Write a line; return when it is safe on the disk."""
        await asyncio.sleep(WRITE_TIME)
        self.lines.append(line)


class Bank:
    """A bank that reads the balances, waits for its log, and then writes what it has reckoned.

    Meanwhile the balances may be others. What somebody else has written is lost then, and the money with it.
    """

    def __init__(self) -> None:
        self.log = AuditLog()

    async def log_in(self, account: Account) -> None:
        """Let somebody in."""
        await self.log.write(f"{account.owner} logs in")

    async def transfer(self, source: Account, target: Account, amount: int) -> None:
        """Move money from one account to another.

        Raises `InsufficientFunds` where there is too little.
        """
        rest = source.balance - amount
        total = target.balance + amount
        if rest < 0:
            raise InsufficientFunds(f"{source.owner} has {source.balance}, and cannot pay {amount}")
        await self.log.write(f"{source.owner} pays {amount} to {target.owner}")
        source.balance = rest
        target.balance = total


class LockedBank(Bank):
    """A bank that makes one transfer at a time. This is right, and everybody waits for everybody."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = asyncio.Lock()

    async def transfer(self, source: Account, target: Account, amount: int) -> None:
        async with self.lock:
            await super().transfer(source, target, amount)


class LockedAccountsBank(Bank):
    """A bank that locks the accounts: that of the payer first, and the other one when it is needed.

    No money is lost. But two people who pay each other may each hold a lock that the other one waits for.
    """

    async def transfer(self, source: Account, target: Account, amount: int) -> None:
        async with source.lock:
            if source.balance < amount:
                raise InsufficientFunds(f"{source.owner} has {source.balance}, and cannot pay {amount}")
            await self.log.write(f"{source.owner} pays {amount} to {target.owner}")
            async with target.lock:
                source.balance -= amount
                target.balance += amount


class OrderedLocksBank(Bank):
    """A bank that locks both accounts before it begins, always in the order of their owners' names.

    So there is no circle of people who wait for each other, and those who have nothing to do with each other need not
    wait at all.
    """

    async def transfer(self, source: Account, target: Account, amount: int) -> None:
        first, second = sorted((source, target), key=lambda account: account.owner)
        async with first.lock, second.lock:
            await super().transfer(source, target, amount)
