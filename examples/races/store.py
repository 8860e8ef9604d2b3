"""A small database: documents in memory, and a server that looks after them."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

Document = dict[str, Any]


class Store:
    """Documents by their ids. It is open in the block of an ``async with``.

    An operation sends a request to the server, and returns a future for the answer. The server has one connection: it
    serves one request after the other, in the order in which they were sent.
    """

    def __init__(self) -> None:
        self._documents: dict[int, Document] = {}
        self._requests: asyncio.Queue[tuple[Callable[[], Any], asyncio.Future[Any]]] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._server = asyncio.create_task(self._serve())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # All that was sent is served, also requests whose sender did not wait.
        await self._requests.join()
        self._server.cancel()
        await asyncio.wait([self._server])

    def delete_many(self) -> "asyncio.Future[None]":
        """Remove all documents."""
        return self._send(self._documents.clear)

    def insert_one(self, document: Document) -> "asyncio.Future[None]":
        """Insert a document, in the place of any other document with the same id."""
        return self._send(lambda: self._documents.update({document["_id"]: document}))

    def find_one(self, id: int) -> "asyncio.Future[Document | None]":
        """Return the document with this id, or None."""
        return self._send(lambda: self._documents.get(id))

    def _send(self, operation: Callable[[], Any]) -> "asyncio.Future[Any]":
        answer: asyncio.Future[Any] = asyncio.Future()
        self._requests.put_nowait((operation, answer))
        return answer

    async def _serve(self) -> None:
        while True:
            operation, answer = await self._requests.get()
            answer.set_result(operation())
            self._requests.task_done()
