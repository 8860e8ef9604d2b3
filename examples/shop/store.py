"""The database: products, baskets and orders."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from .feed import Change
from .refusal import Refusal

#: Each brings the database to the next version; SQLite keeps the number of the version.
MIGRATIONS = (
    """
    CREATE TABLE products (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, cents INTEGER NOT NULL,
        stock INTEGER NOT NULL CHECK (stock >= 0)
    );
    CREATE TABLE baskets (
        user TEXT NOT NULL, product INTEGER NOT NULL REFERENCES products, quantity INTEGER NOT NULL,
        touched REAL NOT NULL, PRIMARY KEY (user, product)
    );
    """,
    """
    CREATE TABLE orders (id INTEGER PRIMARY KEY, user TEXT NOT NULL, placed REAL NOT NULL, invoice TEXT);
    CREATE TABLE lines (
        order_id INTEGER NOT NULL REFERENCES orders, name TEXT NOT NULL, quantity INTEGER NOT NULL,
        cents INTEGER NOT NULL
    );
    """,
    """
    CREATE TABLE pictures (product INTEGER PRIMARY KEY REFERENCES products, type TEXT NOT NULL, content BLOB NOT NULL);
    """,
)


class Store:
    """The database. Its tasks take turns, because they share a connection, and with it a transaction."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path | str) -> "Store":
        """Open the database, and bring it to the present version."""
        connection = await aiosqlite.connect(path)
        try:
            connection.row_factory = aiosqlite.Row
            await connection.execute("PRAGMA foreign_keys = ON")
            [[version]] = await connection.execute_fetchall("PRAGMA user_version")
            for number, script in enumerate(MIGRATIONS[version:], version + 1):
                await connection.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")
        except BaseException:
            await connection.close()
            raise
        return cls(connection)

    async def close(self) -> None:
        async with self._turn:
            await self._connection.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        """All that the block does, or nothing of it."""
        async with self._turn:
            try:
                yield self._connection
            except BaseException:
                await self._connection.rollback()
                raise
            await self._connection.commit()

    async def _rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        async with self.transaction() as db:
            return [dict(row) for row in await db.execute_fetchall(sql, values)]

    async def products(self) -> list[dict[str, Any]]:
        return await self._rows("SELECT id, name, cents, stock FROM products ORDER BY id")

    async def add_product(self, name: str, cents: int, stock: int) -> int:
        async with self.transaction() as db:
            try:
                cursor = await db.execute(
                    "INSERT INTO products (name, cents, stock) VALUES (?, ?, ?)", (name, cents, stock)
                )
            except aiosqlite.IntegrityError as error:
                raise Refusal(409, f"there is a product {name!r} already") from error
            number: int | None = cursor.lastrowid
            assert number is not None
            return number

    async def put_picture(self, product: int, content_type: str, content: bytes) -> None:
        async with self.transaction() as db:
            try:
                await db.execute("REPLACE INTO pictures VALUES (?, ?, ?)", (product, content_type, content))
            except aiosqlite.IntegrityError as error:
                raise Refusal(404, f"there is no product {product}") from error

    async def picture(self, product: int) -> dict[str, Any]:
        for row in await self._rows("SELECT type, content FROM pictures WHERE product = ?", product):
            return row
        raise Refusal(404, f"product {product} has no picture")

    async def basket(self, user: str) -> list[dict[str, Any]]:
        return await self._rows(
            "SELECT product, name, quantity, cents FROM baskets JOIN products ON product = id WHERE user = ?"
            " ORDER BY product",
            user,
        )

    async def reserve(self, user: str, product: int, quantity: int) -> Change:
        """Move some pieces of a product from the shelf into a basket."""
        async with self.transaction() as db:
            rows = await db.execute_fetchall("SELECT stock FROM products WHERE id = ?", (product,))
            for [stock] in rows:
                if stock < quantity:
                    raise Refusal(409, f"only {stock} of product {product} are left")
                await db.execute("UPDATE products SET stock = stock - ? WHERE id = ?", (quantity, product))
                await db.execute(
                    "INSERT INTO baskets VALUES (?, ?, ?, ?) ON CONFLICT (user, product)"
                    " DO UPDATE SET quantity = quantity + excluded.quantity",
                    (user, product, quantity, 0),
                )
                await db.execute("UPDATE baskets SET touched = ? WHERE user = ?", (time.time(), user))
                return Change(product, stock - quantity)
        raise Refusal(404, f"there is no product {product}")

    async def release_before(self, moment: float) -> list[Change]:
        """Put the content of all baskets that were last touched before this time back on the shelf."""
        async with self.transaction() as db:
            left = await db.execute_fetchall(
                "DELETE FROM baskets WHERE touched < ? RETURNING product, quantity", (moment,)
            )
            for product, quantity in left:
                await db.execute("UPDATE products SET stock = stock + ? WHERE id = ?", (quantity, product))
            touched = {product for product, _ in left}
            stocks = await db.execute_fetchall("SELECT id, stock FROM products")
            return [Change(product, stock) for product, stock in stocks if product in touched]

    async def order(self, user: str) -> int:
        """Make an order of the content of a basket, and return its number."""
        async with self.transaction() as db:
            cursor = await db.execute("INSERT INTO orders (user, placed) VALUES (?, ?)", (user, time.time()))
            number: int | None = cursor.lastrowid
            moved = await db.execute(
                "INSERT INTO lines SELECT ?, name, quantity, cents FROM baskets JOIN products ON product = id"
                " WHERE user = ? ORDER BY product",
                (number, user),
            )
            if not moved.rowcount or number is None:
                raise Refusal(409, "the basket is empty")
            await db.execute("DELETE FROM baskets WHERE user = ?", (user,))
            return number

    async def find_order(self, number: int) -> dict[str, Any]:
        orders = await self._rows("SELECT id, user, placed, invoice FROM orders WHERE id = ?", number)
        if not orders:
            raise Refusal(404, f"there is no order {number}")
        lines = await self._rows("SELECT name, quantity, cents FROM lines WHERE order_id = ?", number)
        return {**orders[0], "lines": lines}

    async def orders_without_invoice(self) -> list[int]:
        return [row["id"] for row in await self._rows("SELECT id FROM orders WHERE invoice IS NULL ORDER BY id")]

    async def put_invoice(self, number: int, text: str) -> None:
        async with self.transaction() as db:
            await db.execute("UPDATE orders SET invoice = ? WHERE id = ?", (text, number))
