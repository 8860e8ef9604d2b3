"""Generated programs: trees of callbacks, timers, tasks and threads, with errors planted at random places.

Every planted error is reported exactly once, for the test that set it off, unless it was expected. The number of
programs is 50, or the value of the environment variable ``ASYNCTEST_PROGRAMS``: ``.ci/run`` has 500.
"""

import itertools
import os
import re
import unittest
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.samples import programs as sample
from tests.samples.programs import Node, Program
from tests.support import RecordingResult

PROGRAMS = int(os.environ.get("ASYNCTEST_PROGRAMS", "50"))


def nodes(children: st.SearchStrategy[list[Node]]) -> st.SearchStrategy[Node]:
    return st.builds(
        Node,
        kind=st.sampled_from(sample.KINDS),
        fails=st.booleans(),
        expectation=st.sampled_from([None, None, "context", "declines", "expected"]),
        delay=st.sampled_from([0, 0, 0.0005, 0.001]),
        children=children,
    )


TREES = st.recursive(nodes(st.just([])), lambda inner: nodes(st.lists(inner, max_size=3)), max_leaves=8)
PROGRAMS_OF_A_TEST = st.lists(TREES, min_size=1, max_size=4)


class ProgramsTest(unittest.TestCase):
    @settings(
        max_examples=PROGRAMS,
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(one=PROGRAMS_OF_A_TEST, two=PROGRAMS_OF_A_TEST)
    def test_every_error_is_reported_once_for_its_test_or_was_expected(self, one: list[Node], two: list[Node]) -> None:
        numbers = itertools.count()
        programs = {"test_one": Program(one, numbers), "test_two": Program(two, numbers)}
        result = RecordingResult()
        cls = type("Sample", (sample.Sample,), {"programs": programs})
        for name in programs:
            cls(name).run(result)
        result.stopTestRun()
        for name, program in programs.items():
            text = "\n".join(text for test, text in result.errors if test.id().endswith(name))
            reported = Counter(map(int, re.findall(r"PlantedError: <(\d+)>", text)))
            wanted = Counter(
                {n: count for n, count in program.happened.items() if n not in program.expected | program.handled}
            )
            self.assertEqual(reported, wanted, result.report)
        self.assertEqual(result.report.count("Error: "), result.report.count("PlantedError: "), result.report)
        self.assertFalse(result.failures)
