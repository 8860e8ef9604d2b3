"""A wiki that gives each page an address: by luck, and with a lock."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator


class Wiki:
    """Keeps pages by their addresses, which consist of the letters and digits of the titles."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}

    async def log_in(self) -> None:
        """Let an author in, which takes as long as to store a page."""
        await asyncio.sleep(0.1)

    async def add(self, title: str) -> str:
        """Store a page; return its address, which no other page has."""
        async with self._alone():
            name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
            address, number = name, 1
            while address in self.pages:
                number += 1
                address = f"{name}-{number}"
            await asyncio.sleep(0.1)  # the disk
            self.pages[address] = title
            return address

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        yield


class LockedWiki(Wiki):
    """Looks for one address at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        async with self._lock:
            yield
