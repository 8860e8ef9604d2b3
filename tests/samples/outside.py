"""A program that is no child of the tests: it calls back an address that it was given, once it is asked to.

Each connection to it brings one line: ``call HOST:PORT`` is an address, ``go`` lets it call that, ``quit`` ends it. It
answers each line.
"""

import contextlib
import socket
import subprocess
import sys

#: Seconds without a connection after which the program ends by itself, should the tests have died.
IDLE_SECONDS = 600


def serve() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(IDLE_SECONDS)
        print(server.getsockname()[1], flush=True)
        sys.stdout.close()
        address = ""
        while True:
            connection, _ = server.accept()
            with connection, connection.makefile("rw") as stream:
                word, _, argument = stream.readline().strip().partition(" ")
                print("ok", file=stream, flush=True)
            address = argument or address
            if word == "quit":
                return
            if word == "go":
                host, _, port = address.rpartition(":")
                # The server may be gone before it has answered.
                with contextlib.suppress(OSError), socket.create_connection((host, int(port))) as request:
                    request.sendall(b"GET /wake HTTP/1.0\r\n\r\n")
                    while request.recv(1000):
                        pass


class Outside:
    """The program, for tests."""

    def __init__(self) -> None:
        # The one in between ends at once, so that the program has another parent.
        launcher = (
            "import subprocess, sys; subprocess.Popen([sys.executable, '-m', sys.argv[1]], start_new_session=True, "
            "stderr=subprocess.DEVNULL)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", launcher, __name__], stdout=subprocess.PIPE, text=True
        ) as in_between:
            assert in_between.stdout is not None
            self.port = int(in_between.stdout.readline())

    def say(self, line: str) -> None:
        """Connect, bring it one line, and close the connection."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection, connection.makefile("rw") as stream:
            print(line, file=stream, flush=True)
            assert stream.readline() == "ok\n"


if __name__ == "__main__":
    serve()
