"""Invoices: a child process of its own renders each, so that a large one does not stop the shop."""

import asyncio
import json
import sys
import time
from typing import Any


class NotRendered(Exception):
    """The child process has failed; the message is its last words."""


async def render(order: dict[str, Any]) -> str:
    """Return the invoice of an order. Raises `NotRendered`."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", __file__), stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        text, complaint = await child.communicate(json.dumps(order).encode())
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        raise NotRendered(f"no invoice for order {order['id']}: {complaint.decode().splitlines()[-1]}")
    return text.decode()


def text_of(order: dict[str, Any]) -> str:
    date = time.strftime("%Y-%m-%d", time.gmtime(order["placed"]))
    rows = [(f"{line['quantity']} x {line['name']}", line["quantity"] * line["cents"]) for line in order["lines"]]
    rows.append(("Total", sum(cents for _, cents in rows)))
    table = "".join(f"{what:<30} {cents / 100:8.2f}\n" for what, cents in rows)
    return f"Invoice {order['id']} for {order['user']}, {date}\n\n{table}"


if __name__ == "__main__":
    sys.stdout.write(text_of(json.load(sys.stdin)))
