"""Runs tests, like unittest: ``python -m asynctest_tornado my_package.my_test``.

``python -m asynctest_tornado --replace -m unittest``, or another module, runs suites of ``tornado.testing`` unmodified.
"""

import sys

from asynctest_tornado._replace import run_program as _run_program
from asynctest_tornado._runner import command_line as _command_line

__unittest = True


def _main() -> None:
    arguments = sys.argv[1:]
    if "--replace" in arguments:
        place = arguments.index("--replace")
        _run_program.run(arguments[:place], arguments[place + 1 :])
    else:
        _command_line.discover()


_main()
