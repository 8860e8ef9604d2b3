"""A host with faults, and applications for it."""

import asyncio
from typing import Any

from tornado import http1connection
from tornado.httpclient import HTTPClientError
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpserver import TCPServer
from tornado.web import Application, RequestHandler

from asynctest_tornado import AsyncTestCase, VirtualNetwork
from asynctest_tornado._network.host_faults import HostFaults
from asynctest_tornado._network.virtual_socket import VirtualSocket

#: The errors by which Tornado's client tells that a response breaks off. Older versions let out one of their own.
BREAKS_OFF: tuple[type[BaseException], ...] = (
    OSError,
    HTTPClientError,
    *filter(None, [getattr(http1connection, "_QuietException", None)]),
)
ADDRESS = "198.18.0.7"
URL = f"http://{ADDRESS}"
SECURE_URL = f"https://{ADDRESS}"


class Charge(RequestHandler):
    """Answers with a body of 1,000 bytes."""

    def prepare(self) -> None:
        self.application.settings["requests"].append(self.request.path)

    async def get(self) -> None:
        self.write(b"x" * int(self.get_argument("size", "1000")))

    async def delete(self) -> None:
        """Answer in parts, with pauses."""
        for _ in range(5):
            self.write(b"x" * 100)
            await self.flush()
            await asyncio.sleep(1)

    def post(self) -> None:
        self.write(str(len(self.request.body)))


def serve(case: AsyncTestCase, server: Any = None, port: int = 80, **options: Any) -> HostFaults:
    """Serve an application as a host of the network of a test, up to its end.

    :param port: 80 for HTTP, 443 for HTTPS.
    """
    network: VirtualNetwork = case.network
    host = HostFaults({80: URL, 443: SECURE_URL}.get(port, f"tcp://{ADDRESS}:{port}"))
    sock: Any = VirtualSocket(network)
    sock.bind((ADDRESS, port))
    sock.listen()
    network._faults.serve(host, sock)
    requests: list[str] = []
    if server is None:
        app = Application([(r"/charge", Charge)], log_function=lambda handler: None, requests=requests)
        server = HTTPServer(app, **options)
        host.__dict__["requests"] = requests
    server.add_socket(sock)
    case.addCleanup(server.stop)
    return host


class Lines(TCPServer):
    """Answers each line by the same line."""

    async def handle_stream(self, stream: IOStream, address: Any) -> None:
        try:
            while True:
                await stream.write(await stream.read_until(b"\n"))
        except StreamClosedError:
            self.lost = asyncio.get_running_loop().time()
