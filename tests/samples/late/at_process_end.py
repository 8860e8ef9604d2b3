"""The error surfaces when the program is over, in a thread that Python waits for."""

import threading

from tests.samples.late import support


class Left(support.Left):
    def start(self) -> None:
        threading.Thread(target=self._fail_last).start()

    def _fail_last(self) -> None:
        threading.main_thread().join()
        raise ValueError("planted")


class Aside(support.Aside):
    pass


class Sample(support.Guilty):
    left = Left()
