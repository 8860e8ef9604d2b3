"""The error surfaces when the program is over, in a thread that Python waits for."""

import threading

from tests.samples import late


class Left(late.Left):
    def start(self) -> None:
        threading.Thread(target=self._fail_last).start()

    def _fail_last(self) -> None:
        threading.main_thread().join()
        raise ValueError("planted")


class Aside(late.Aside):
    pass


class Sample(late.Guilty):
    left = Left()
