import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A script that runs the tests in the background has its shell ignore ctrl-c for them, which some of them send.
    signal.signal(signal.SIGINT, signal.default_int_handler)
