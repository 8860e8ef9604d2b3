"""Measure the costs of Tornado's own test suite on this library, beside ``tornado.testing``, in CPU time.

::

    python -m tests.benchmarks.tornado_suite [ROUNDS]

A run takes less than a minute; the two take turns. Some tests start processes, which use no library for tests; their
costs are printed separately.
"""

import re
import statistics
import subprocess
import sys

from tests.conformance.in_pytest import EXCEPTIONS

RUN = """
import atexit, os, sys, unittest
{first}
from tornado.test import runtests
parent = os.getpid()
def print_times():
    times = os.times()
    if os.getpid() == parent:
        sys.__stdout__.write(f"spent {{times.user + times.system}} {{times.children_user + times.children_system}}\\n")
atexit.register(print_times)
def tests(suite):
    for each in suite:
        yield from tests(each) if isinstance(each, unittest.TestSuite) else [each]
def all():  # by this name, unittest looks for the suite in __main__
    return unittest.TestSuite(test for test in tests(runtests.all()) if not test.id().endswith({exceptions}))
runtests.main()
"""


def run(first: str) -> tuple[float, float]:
    """Run the suite in a process; return the seconds of CPU time that it takes, and its child processes."""
    exceptions = tuple(re.sub(r"\.py::|::", ".", name) for name in EXCEPTIONS)
    command = [sys.executable, "-W", "ignore", "-c", RUN.format(first=first, exceptions=exceptions)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    spent = re.findall(r"^spent (\S+) (\S+)$", done.stdout, re.MULTILINE)
    if not re.search(r"^Ran \d{3,} tests.*\n\nOK", done.stderr, re.MULTILINE):
        sys.exit(done.stdout + done.stderr)
    own, children = spent[-1]
    return float(own), float(children)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"Python {sys.version.split()[0]}, {rounds} rounds")
    own_ratios, ratios = [], []
    for _ in range(rounds):
        theirs, their_children = run("")
        ours, our_children = run("import asynctest_tornado.replace")
        own_ratios.append(ours / theirs)
        ratios.append((ours + our_children) / (theirs + their_children))
        print(
            f"tornado.testing: {theirs:.1f} s, and {their_children:.1f} s in child processes; "
            f"asynctest_tornado: {ours:.1f} s, and {our_children:.1f} s; {own_ratios[-1]:.3f}",
            flush=True,
        )
    print(
        f"asynctest_tornado / tornado.testing: {statistics.median(own_ratios):.2f} (aim: 0.9); "
        f"with child processes {statistics.median(ratios):.2f}"
    )


if __name__ == "__main__":
    main()
