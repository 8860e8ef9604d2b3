import re
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from xml.etree import ElementTree

import junitparser
from lxml import etree  # type: ignore[import-untyped]

from asynctest_tornado._runner import junit
from tests.support import run_code, run_python

SAMPLES = "tests.samples.outcomes"

#: The rules of Ant's schema and of the schema of Jenkins; if they differ, the stricter one.
SCHEMA = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:simpleType name="name"><xs:restriction base="xs:token"><xs:minLength value="1"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="seconds">
    <xs:restriction base="xs:decimal"><xs:minInclusive value="0"/><xs:fractionDigits value="3"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="moment">
    <xs:restriction base="xs:dateTime"><xs:pattern value="[^Z+.]*"/></xs:restriction>
  </xs:simpleType>
  <xs:complexType name="outcome" mixed="true">
    <xs:attribute name="message" type="xs:string"/>
    <xs:attribute name="type" type="name" use="required"/>
  </xs:complexType>
  <xs:complexType name="properties"><xs:sequence>
    <xs:element name="property" maxOccurs="unbounded"><xs:complexType>
      <xs:attribute name="name" type="name" use="required"/>
      <xs:attribute name="value" type="xs:string" use="required"/>
    </xs:complexType></xs:element>
  </xs:sequence></xs:complexType>
  <xs:complexType name="testcase">
    <xs:choice minOccurs="0">
      <xs:element name="skipped" type="outcome"/>
      <xs:element name="error" type="outcome"/>
      <xs:element name="failure" type="outcome"/>
    </xs:choice>
    <xs:attribute name="name" type="name" use="required"/>
    <xs:attribute name="classname" type="name" use="required"/>
    <xs:attribute name="time" type="seconds" use="required"/>
  </xs:complexType>
  <xs:element name="testsuites"><xs:complexType><xs:sequence>
    <xs:element name="testsuite"><xs:complexType>
      <xs:sequence>
        <xs:element name="properties" type="properties"/>
        <xs:element name="testcase" type="testcase" minOccurs="0" maxOccurs="unbounded"/>
        <xs:element name="system-out" type="xs:string"/>
        <xs:element name="system-err" type="xs:string"/>
      </xs:sequence>
      <xs:attribute name="name" type="name" use="required"/>
      <xs:attribute name="id" type="xs:int" use="required"/>
      <xs:attribute name="package" type="xs:token" use="required"/>
      <xs:attribute name="hostname" type="name" use="required"/>
      <xs:attribute name="timestamp" type="moment" use="required"/>
      <xs:attribute name="tests" type="xs:int" use="required"/>
      <xs:attribute name="errors" type="xs:int" use="required"/>
      <xs:attribute name="failures" type="xs:int" use="required"/>
      <xs:attribute name="skipped" type="xs:int" use="required"/>
      <xs:attribute name="time" type="seconds" use="required"/>
    </xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""


def written(*args: str, **environment: str) -> str:
    """Run tests, and return their XML, which is valid."""
    with TemporaryDirectory() as folder:
        out = Path(folder, "out.xml")
        done = run_python(
            "-W", "error", "-m", "asynctest_tornado", "--leaks=note", f"--junit={out}", *args, **environment
        )
        assert out.stat().st_size, done.stderr
        text = out.read_text()
    etree.XMLSchema(etree.XML(SCHEMA)).assertValid(etree.XML(text.encode()))
    return text


def elements_of(text: str) -> dict[str, Any]:
    """Return the elements of the tests, by name."""
    (suite,) = junitparser.JUnitXml.fromstring(text.encode())
    elements = list(suite)
    assert suite.tests == len(elements)
    found = {element.name: element for element in elements}
    assert len(found) == len(elements), "one for each test"
    return found


class JUnitTest(unittest.TestCase):
    text: ClassVar[str]
    elements: ClassVar[dict[str, Any]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.text = written(f"{SAMPLES}.Outcomes", f"{SAMPLES}.BadClass", f"{SAMPLES}.Late")
        cls.elements = elements_of(cls.text)

    def outcomes(self, name: str) -> list[tuple[str, str, str]]:
        return [(type(each).__name__, each.type, each.message) for each in self.elements[name].result]

    def test_each_outcome_has_its_element(self) -> None:
        for name, outcome in {
            "test_error": ("Error", "ZeroDivisionError", "ZeroDivisionError: division by zero"),
            "test_skipped": ("Skipped", "unittest.SkipTest", "not today"),
            "test_expected": ("Skipped", "AssertionError", "expected failure"),
            "test_unexpected": ("Failure", "UnexpectedSuccess", "unexpected success"),
            "setUpClass": ("Error", "OSError", "OSError: no database"),
            "test_own_error": ("Error", f"{SAMPLES}.OwnError", f"{SAMPLES}.OwnError: <planted>"),
        }.items():
            self.assertEqual(self.outcomes(name), [outcome])
        self.assertEqual(self.outcomes("test_passes"), [])

    def test_the_outcomes_of_a_test_are_one(self) -> None:
        message = "(number=0) AssertionError: 0 != 1 (and 1 more)"
        self.assertEqual(self.outcomes("test_subtests"), [("Failure", "AssertionError", message)])
        (failure,) = self.elements["test_subtests"].result
        for number in 0, 2:
            self.assertRegex(failure.text, rf"\(number={number}\) AssertionError: {number} != 1\n+Traceback")

    def test_the_gravest_outcome_is_that_of_the_test(self) -> None:
        ((kind, cls, message),) = self.outcomes("test_mixed_subtests")
        self.assertEqual((kind, cls, message), ("Error", "KeyError", "(number=2) KeyError: 2 (and 2 more)"))
        (error,) = self.elements["test_mixed_subtests"].result
        self.assertRegex(error.text, r"(?s)KeyError: 2\n.*AssertionError: 1 != 0\n.*not this one")

    def test_an_error_that_comes_late_is_that_of_its_test(self) -> None:
        ((kind, cls, message),) = self.outcomes("test_1_causes")
        self.assertEqual((kind, cls), ("Error", "ValueError"))
        self.assertIn("too late", message)
        self.assertEqual(self.outcomes("test_2_waits"), [])

    def test_the_counts_add_up(self) -> None:
        (suite,) = ElementTree.fromstring(self.text)
        kinds = [outcome.tag for case in suite.iter("testcase") for outcome in case]
        for name, kind in ("errors", "error"), ("failures", "failure"), ("skipped", "skipped"):
            self.assertEqual(int(suite.attrib[name]), kinds.count(kind))
            self.assertGreater(kinds.count(kind), 0)
        seconds = [float(case.attrib["time"]) for case in suite.iter("testcase")]
        self.assertAlmostEqual(float(suite.attrib["time"]), sum(seconds), 6)
        self.assertEqual(int(suite.attrib["tests"]), len(seconds))

    def test_the_timestamp_is_the_beginning(self) -> None:
        written_at = re.search('timestamp="(.*?)"', self.text)
        assert written_at is not None
        self.assertLessEqual(written_at[1], junit.Journal()._timestamp)

    def test_the_text_is_the_report(self) -> None:
        (failure,) = self.elements["test_error"].result
        self.assertIn("outcomes.py", failure.text)
        self.assertIn("self.wait()", failure.text)

    def test_what_is_added_to_a_report_later_is_there(self) -> None:
        (failure,) = self.elements["test_late"].result
        self.assertIn("pending timer", failure.text)

    def test_what_xml_cannot_hold_is_spelled_out(self) -> None:
        (failure,) = self.elements["test_fails"].result
        self.assertIn(r"not the same \x1b[1m", failure.text)

    def test_what_a_terminal_shows_in_colours_is_told_without(self) -> None:
        (failure,) = elements_of(written(f"{SAMPLES}.Outcomes.test_error", PYTHON_COLORS="1"))["test_error"].result
        self.assertRegex(failure.text, r'  File ".*outcomes.py", line \d+, in')
        self.assertNotIn("[0m", failure.text)

    def test_one_that_was_interrupted_has_not_passed(self) -> None:
        elements = elements_of(written(f"{SAMPLES}.Interrupted"))
        self.assertEqual(elements["test_1_passes"].result, [])
        (error,) = elements["test_2_is_interrupted"].result
        self.assertIn("the run was interrupted", error.message)

    def test_names_classes_and_seconds_are_told(self) -> None:
        self.assertEqual(self.elements["test_passes"].classname, f"{SAMPLES}.Outcomes")
        self.assertEqual(self.elements["setUpClass"].classname, f"{SAMPLES}.BadClass")
        self.assertGreaterEqual(self.elements["test_late"].time, 0)
        self.assertEqual(self.elements["test GET /a.b (json)"].classname, f"{SAMPLES}.Outcomes")


class NameTest(unittest.TestCase):
    def test_each_has_a_class(self) -> None:
        def function() -> None: ...

        for test, names in (
            (unittest.FunctionTestCase(function), ("unittest.case.FunctionTestCase", "function")),
            (self, (f"{__name__}.NameTest", "test_each_has_a_class")),
        ):
            self.assertEqual(junit._names_of(test), names)


class DecimalTest(unittest.TestCase):
    def test_no_time_is_in_powers_of_ten(self) -> None:
        for seconds, text in (6e-05, "0.000"), (0.0, "0.000"), (1.5, "1.500"), (123456.7891, "123456.789"), (1e17, "1"):
            self.assertRegex(junit._decimal(seconds), rf"\A{text}0*(\.000)?\Z")


class OptionTest(unittest.TestCase):
    def test_a_file_that_cannot_be_written_is_told_before_the_tests_run(self) -> None:
        done = run_python("-m", "asynctest_tornado", "--junit=nowhere/out.xml", f"{SAMPLES}.Outcomes")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--junit=nowhere/out.xml: [Errno 2]", done.stderr)
        self.assertNotIn("Ran", done.stderr)

    def test_a_program_with_a_runner_of_its_own_is_told(self) -> None:
        code = "import unittest, asynctest_tornado as a; a.main(testRunner=unittest.TextTestRunner)"
        done = run_code(code, "--junit=out.xml", f"{SAMPLES}.Outcomes")
        self.assertEqual(done.returncode, 2)
        self.assertIn("and the program has another", done.stderr)
