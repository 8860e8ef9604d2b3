"""A database for the tests of one module: on a server that runs already, or on a server of its own."""

import re
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Timer
from typing import Any, NamedTuple

from pymongo import MongoClient

#: nx-27017 in the interpreter that runs the tests; the command of that name may belong to another environment. It
#: ends when the tests do, however these end: the other end of its standard input is closed then.
PROGRAM = """
import os, sys, threading
from nx_27017.nx_27017 import main
threading.Thread(target=lambda: os._exit(len(sys.stdin.read())), daemon=True).start()
main()
"""

#: The line that it logs as soon as it can be reached.
LISTENING = re.compile(r"Listening on \S+:(\d+)$")

#: How long a server may take to answer for the first time, in seconds.
START_SECONDS = 30


class Database(NamedTuple):
    """Where a database is."""

    uri: str
    name: str


@contextmanager
def temporary_database(uri: str | None = None) -> Iterator[Database]:
    """Have a database that is new, and is dropped after the block.

    :param uri: the MongoDB server to use. Without one, a server is started, and ended after the block.
    """
    with ExitStack() as stack:
        database = Database(uri or stack.enter_context(embedded_server()), f"motor_find_one_{uuid.uuid4().hex}")
        # Two clients and not one: while the tests run, no client is open, which would have threads.
        with connect(database) as client:
            client.admin.command("ping")
        try:
            yield database
        finally:
            with connect(database) as client:
                client.drop_database(database.name)


def connect(database: Database) -> "MongoClient[dict[str, Any]]":
    """Return a client that can be used without an event loop."""
    return MongoClient(database.uri, serverSelectionTimeoutMS=1000 * START_SECONDS)


@contextmanager
def embedded_server() -> Iterator[str]:
    """Run nx-27017 with its data in memory, until the block has ended; yield its URI.

    Raises ``RuntimeError`` with all that the server said, if it ends or hangs before it can be reached.
    """
    with tempfile.TemporaryDirectory() as directory:
        # Port 0 lets the system choose: to look for a free port ourselves would be a race for it.
        options = ["--host", "127.0.0.1", "--port", "0", "--data-dir", "memory"]
        # By default these are the same two files for all servers on the machine.
        options += ["--pid-file", f"{directory}/pid", "--log-file", f"{directory}/log"]
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield f"mongodb://127.0.0.1:{read_port(process)}"
            finally:
                # No need to ask it politely: there is nothing in its memory that it ought to save.
                process.kill()


def read_port(process: "subprocess.Popen[str]") -> int:
    """Wait until a server can be reached, and return its port."""
    said = []
    watchdog = Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        # Closed afterwards, and not just left unread: a server that has filled the pipe would stop. As it is, its later
        # output is lost.
        with process.stdout:
            for line in process.stdout:
                said.append(line)
                if found := LISTENING.search(line):
                    return int(found[1])
    finally:
        watchdog.cancel()
        watchdog.join()
    raise RuntimeError(
        f"nx-27017 cannot be used: it ended, with exit status {process.wait()}, before it listened on a port. "
        f"Is it installed, as by \"pip install 'asynctest_tornado[examples]'\"? It said:\n{''.join(said)}"
    )
