"""A bank, and four ways to move money in it: two that work by luck, and two that work."""

import asyncio
from dataclasses import dataclass, field

#: How long it takes to write a line into the log, in seconds.
WRITE_TIME = 0.01


class InsufficientFunds(Exception):
    """A payment is greater than the balance of the payer."""


@dataclass
class Account:
    """The money of one owner."""

    owner: str
    balance: int
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class AuditLog:
    """A record of all that the bank has done."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def write(self, line: str) -> None:
        """Write a line; return when it is safe on the disk."""
        await asyncio.sleep(WRITE_TIME)
        self.lines.append(line)


class Bank:
    """A bank that reads the balances, waits for its log, and then writes the new balances.

    Meanwhile another transfer may have written other balances. These are lost then, and the money with them.
    """

    def __init__(self) -> None:
        self.log = AuditLog()

    async def log_in(self, account: Account) -> None:
        """Let the owner of an account in."""
        await self.log.write(f"{account.owner} logs in")

    async def transfer(self, source: Account, target: Account, amount: int) -> None:
        """Move money from one account to another.

        Raises `InsufficientFunds` if the balance of the source is too small.
        """
        rest = source.balance - amount
        total = target.balance + amount
        if rest < 0:
            raise InsufficientFunds(f"{source.owner} has {source.balance}, and cannot pay {amount}")
        await self.log.write(f"{source.owner} pays {amount} to {target.owner}")
        source.balance = rest
        target.balance = total


class LockedBank(Bank):
    """A bank that makes one transfer at a time. This is right, and each transfer waits for all others."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = asyncio.Lock()

    async def transfer(self, source: Account, target: Account, amount: int) -> None:
        async with self.lock:
            await super().transfer(source, target, amount)


class LockedAccountsBank(Bank):
    """A bank that locks the accounts: the payer's first, and the other one when it is needed.

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

    So there is no circle of transfers that wait for each other, and transfers between different people do not wait at
    all.
    """

    async def transfer(self, source: Account, target: Account, amount: int) -> None:
        first, second = sorted((source, target), key=lambda account: account.owner)
        async with first.lock, second.lock:
            await super().transfer(source, target, amount)
