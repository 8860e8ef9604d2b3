"""The computer's time, and other functions that a test may replace.

A mock is meant for the code under test. It must neither mislead this library, nor count its calls.
"""

# Tested by tests/timeouts/test_deadlock.py.

import asyncio
import functools
import os
import signal
import socket
import threading
import time
from typing import Any

__unittest = True

# Not the functions themselves, as freezegun replaces these in all modules; time-machine 2 changes monotonic() in C.
monotonic = functools.partial(time.perf_counter)
sleep = functools.partial(time.sleep)
wall_time = functools.partial(time.time)

listdir = functools.partial(os.listdir)
exists = functools.partial(os.path.exists)
active_count = functools.partial(threading.active_count)
get_signal_handler = functools.partial(signal.getsignal)
set_signal_handler = functools.partial(signal.signal)
valid_signals = signal.valid_signals
get_timer: Any = getattr(signal, "getitimer", None)  # not on Windows, which has no such timers either
#: Asks for child processes that have ended; None where the system has no such call.
wait_for_child: Any = getattr(os, "waitid", None)
get_folder = os.getcwd
all_tasks = asyncio.all_tasks

# The class in C below ``socket.socket``: its objects cost less. Typeshed has another class by that name.
Socket: Any = socket.SocketType

#: Called for nearly each callback that is scheduled.
get_running_loop = asyncio.get_running_loop

#: Returns a coroutine that takes one turn of the loop.
turn = functools.partial(asyncio.sleep, 0)
