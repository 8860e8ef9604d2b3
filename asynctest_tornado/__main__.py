"""Run tests: ``python -m asynctest_tornado my_package.my_test``."""

import sys

from asynctest_tornado import main

__unittest = True

if len(sys.argv) == 1:
    sys.exit("No tests specified. Name modules, classes or methods: python -m asynctest_tornado my_package.my_test")
main()
