"""The public names, beside the names of the ``tornado.testing`` that is installed."""

import inspect
import unittest

import tornado.testing

import asynctest_tornado

OF_TORNADO = {
    "AsyncHTTPSTestCase",
    "AsyncHTTPTestCase",
    "AsyncTestCase",
    "ExpectLog",
    "bind_unused_port",
    "gen_test",
    "get_async_test_timeout",
    "main",
    "setup_with_context_manager",
}
OF_STACK_CONTEXT = {"ExceptionStackContext", "NullContext"}
OF_OURS = {
    "ExpectError",
    "HTTPTestServer",
    "Response",
    "ServedHost",
    "ServerError",
    "ServerSentEvent",
    "StreamedResponse",
    "VirtualClock",
    "VirtualNetwork",
    "WebSocket",
}


def parameters(function: object) -> list[tuple[str, object, object]]:
    """Return the names, kinds and defaults of a function's parameters."""
    signature = inspect.signature(function)  # type: ignore[arg-type]
    return [(each.name, each.kind, each.default) for each in signature.parameters.values()]


def public_methods(cls: type) -> dict[str, object]:
    """Return the methods that the class and its bases outside of unittest define."""
    bases = [base for base in cls.__mro__ if base.__module__.startswith(("tornado", "asynctest_tornado"))]
    names = {name for base in bases for name in vars(base) if not name.startswith("_")}
    return {name: getattr(cls, name) for name in names if callable(getattr(cls, name))}


class PublicNamesTest(unittest.TestCase):
    def test_they_are_those_that_are_promised(self) -> None:
        self.assertEqual(set(asynctest_tornado.__all__), OF_TORNADO | OF_STACK_CONTEXT | OF_OURS)

    def test_the_module_has_no_other_names(self) -> None:
        public = {name for name in dir(asynctest_tornado) if not name.startswith("_")}
        self.assertEqual(public - {"pytest_plugin", "replace"}, set(asynctest_tornado.__all__))

    def test_none_that_tornado_defines_is_missing(self) -> None:
        defined = {
            name
            for name, value in vars(tornado.testing).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == "tornado.testing"
        }
        self.assertEqual(defined, OF_TORNADO)

    def test_each_has_a_docstring_that_says_where_it_comes_from_and_since_when(self) -> None:
        for name in asynctest_tornado.__all__:
            docstring = inspect.getdoc(getattr(asynctest_tornado, name)) or ""
            origin = "" if name in OF_OURS else r"From ``tornado\.(testing|stack_context)``.*"
            self.assertRegex(docstring, rf"(?s){origin}New in\s+version", name)


class SignaturesTest(unittest.TestCase):
    def test_functions_take_what_those_of_tornado_take(self) -> None:
        for name in "bind_unused_port", "gen_test", "get_async_test_timeout", "main", "setup_with_context_manager":
            ours, theirs = getattr(asynctest_tornado, name), getattr(tornado.testing, name)
            self.assertEqual(parameters(ours), parameters(theirs), name)

    def test_classes_take_what_those_of_tornado_take(self) -> None:
        for name in "AsyncTestCase", "AsyncHTTPTestCase", "AsyncHTTPSTestCase", "ExpectLog":
            ours, theirs = getattr(asynctest_tornado, name), getattr(tornado.testing, name)
            self.assertEqual(parameters(ours), parameters(theirs), name)

    def test_a_subclass_takes_what_its_constructor_takes(self) -> None:
        class OfInit(asynctest_tornado.AsyncTestCase):
            def __init__(self, name: str, *, port: int = 0) -> None:
                super().__init__(name)

        class OfNew(asynctest_tornado.AsyncTestCase):
            def __new__(cls, methodName: str, host: str) -> "OfNew":  # noqa: N803
                return super().__new__(cls)

        self.assertEqual(list(inspect.signature(OfInit).parameters), ["name", "port"])
        self.assertEqual(list(inspect.signature(OfNew).parameters), ["methodName", "host"])

    def test_methods_take_what_those_of_tornado_take(self) -> None:
        for name in "AsyncTestCase", "AsyncHTTPTestCase", "AsyncHTTPSTestCase", "ExpectLog":
            ours = public_methods(getattr(asynctest_tornado, name))
            theirs = public_methods(getattr(tornado.testing, name))
            for method, function in theirs.items():
                with self.subTest(f"{name}.{method}"):
                    self.assertIn(method, ours)
                    self.assertEqual(parameters(ours[method]), parameters(function))

    def test_static_methods_are_static(self) -> None:
        options = asynctest_tornado.AsyncHTTPSTestCase.default_ssl_options()
        self.assertEqual(options.keys(), tornado.testing.AsyncHTTPSTestCase.default_ssl_options().keys())

    def test_no_test_runner_takes_gen_test_for_a_test(self) -> None:
        self.assertFalse(asynctest_tornado.gen_test.__test__)  # type: ignore[attr-defined]

    def test_attributes_of_expect_log_are_those_of_tornado(self) -> None:
        ours, theirs = asynctest_tornado.ExpectLog("a", "b"), tornado.testing.ExpectLog("a", "b")
        self.assertLessEqual(vars(theirs).keys(), vars(ours).keys())
