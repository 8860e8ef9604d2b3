"""The page how_it_works.rst: its list of replaced functions is complete."""

import json
import re
import sys
import unittest

from tests.support import ROOT, run_python

PAGE = (ROOT / "docs" / "how_it_works.rst").read_text()
#: The headings of the lists, and the test of `tests.samples.patched` from which on the functions are replaced.
LISTS = {
    "For errors": "Plain",
    "For leaks and reports": "Plain",
    "For connections": "Plain",
    "From the first test": "InMemory",
    "For traces": "Traced",
}
#: The names of the same function in other versions of Python and on other systems.
OTHERS = {
    "threading._start_joinable_thread": "threading._start_new_thread",
    **{f"os.{name}": "" for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp") if sys.platform == "win32"},
}


def listed() -> dict[str, set[str]]:
    """Return the functions that the page lists, by the test from which on they are replaced."""
    lists: dict[str, set[str]] = {test: set() for test in LISTS.values()}
    test = ""
    for line in PAGE.partition(".. _patches:")[2].partition("What it cannot see")[0].splitlines():
        test = next((test for heading, test in LISTS.items() if line.startswith(heading)), test)
        if line.startswith("``"):
            lists[test].update(re.findall(r"``([^`]+)``", line))
    return lists


class PatchesTest(unittest.TestCase):
    def test_the_list_of_functions_is_complete(self) -> None:
        done = run_python("-W", "error", "-m", "tests.samples.patched")
        self.assertEqual(done.stderr, "")
        runs = json.loads(done.stdout)
        expected: set[str] = set()
        for test, names in listed().items():
            with self.subTest(test):
                expected |= names - OTHERS.keys()
                during = {
                    re.sub(r"^(logger .+)\.(?:handle|isEnabledFor)$", r"\1", name) for name in runs[test]["during"]
                }
                self.assertEqual({OTHERS.get(name, name) for name in during}, expected)
                self.assertEqual(runs[test]["after"], [])


if __name__ == "__main__":
    unittest.main()
