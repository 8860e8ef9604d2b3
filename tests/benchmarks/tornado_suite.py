"""What Tornado's own test suite costs on this library, beside ``tornado.testing``, in CPU time.

::

    python -m tests.benchmarks.tornado_suite [ROUNDS]

A run takes less than a minute; the two take turns. Some tests start processes, which use no library for tests: what
those take is told separately.
"""

import re
import statistics
import subprocess
import sys

RUN = """
import atexit, os, sys
{first}
from tornado.test import runtests
parent = os.getpid()
def tell():
    times = os.times()
    if os.getpid() == parent:
        sys.__stdout__.write(f"spent {{times.user + times.system}} {{times.children_user + times.children_system}}\\n")
atexit.register(tell)
all = runtests.all  # by this name, unittest looks for the suite in __main__
runtests.main()
"""


def run(first: str) -> tuple[float, float]:
    """Run the suite in a process; return the seconds of CPU time that it takes, and its child processes."""
    command = [sys.executable, "-W", "ignore", "-c", RUN.format(first=first)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    spent = re.findall(r"^spent (\S+) (\S+)$", done.stdout, re.MULTILINE)
    assert re.search(r"^Ran \d{3}", done.stderr, re.MULTILINE), done.stdout + done.stderr
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
