import os
import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A script that runs the tests in the background has its shell ignore ctrl-c for them, which some of them send.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Seconds. A busy machine may take longer than the usual 5, for example for a program that a test waits for.
os.environ.setdefault("ASYNC_TEST_TIMEOUT", "60")
