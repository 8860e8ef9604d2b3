"""A circuit breaker: after failures in a row, calls are refused for a while."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class CircuitOpen(Exception):
    """A call was refused. ``seconds`` is the time until the next one may be tried."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"tried again in {seconds:g} seconds")
        self.seconds = seconds


class CircuitBreaker:
    """Refuses calls after some failures in a row; later, one call is a trial, which closes the circuit if it succeeds.

    :param failure: the exceptions that count as failures.
    :param limit: the number of failures in a row that opens the circuit.
    :param seconds: the time until a trial.
    """

    def __init__(
        self, failure: type[Exception] | tuple[type[Exception], ...], limit: int = 3, seconds: float = 60
    ) -> None:
        self.failure = failure
        self.limit = limit
        self.seconds = seconds
        self.failures = 0
        self._opens_until = 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Run a block as a call. Raises `CircuitOpen` in place of running it."""
        now = asyncio.get_running_loop().time()
        if self.failures >= self.limit:
            if now < self._opens_until:
                raise CircuitOpen(self._opens_until - now)
            self._open(now)  # the others wait for the trial
        try:
            yield
        except self.failure:
            self.failures += 1
            self._open(asyncio.get_running_loop().time())
            raise
        self.failures = 0

    def _open(self, now: float) -> None:
        self._opens_until = now + self.seconds
