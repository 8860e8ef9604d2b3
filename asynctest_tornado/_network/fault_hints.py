"""Hints for calls of the network and of hosts that cannot be made so."""

import linecache
import re

from tornado.gen import BadYieldError

from asynctest_tornado._errors.hints import users_frames

__unittest = True

_NOT_AWAITABLE = re.compile(r"can't be used in 'await' expression$|object can't be awaited$")
_AWAITED = re.compile(r"\b(await|yield)\s+\(?[\w.]*?(network|\w+)\.(\w+)\(")
_METHODS_OF_NETWORK = ("serve", "allow", "partition", "heal", "link")
_METHODS_OF_HOST = ("cut", "reset", "half_close", "hold", "release", "refuse", "accept", "stop")
_CALLED = re.compile(r"([\w.]+)\.(latency|bandwidth)\(([^()]*)\)")
_KEYWORD = re.compile(r"Faults\.(cut|reset|half_close|refuse)\(\) got an unexpected keyword argument '(\w+)'")


def hint(error: BaseException) -> str | None:
    """Return how to make a call that has failed, or None."""
    if type(error) not in (TypeError, BadYieldError) or not error.args or type(error.args[0]) is not str:
        return None
    text = error.args[0]
    keyword = _KEYWORD.match(text.partition("Host")[2] or text)
    if keyword is not None:
        return _take(keyword[1], keyword[2])
    frames = users_frames(error.__traceback__)
    line = linecache.getline(frames[-1].f_code.co_filename, frames[-1].f_lineno) if frames else ""
    if _NOT_AWAITABLE.search(text) or type(error) is BadYieldError:
        return _without_await(line)
    called = _CALLED.search(line) if text.endswith("object is not callable") else None
    if called is None:
        return None
    return f"{called[2]} is set, and not called: {called[1]}.{called[2]} = {called[3] or '...'}"


def _take(method: str, name: str) -> str:
    argument, what = (
        ("count", "how many connections") if method == "refuse" else ("after", "how many bytes arrive before")
    )
    return f"The argument of {method}() is {argument}, not {name}: {method}({argument}=...), {what}."


def _without_await(line: str) -> str | None:
    found = _AWAITED.search(line)
    if found is None:
        return None
    word, owner, method = found.groups()
    is_of_network = owner == "network" and method in _METHODS_OF_NETWORK
    if not is_of_network and method not in _METHODS_OF_HOST:
        return None
    return f"{owner}.{method}() is no coroutine. Call it without '{word}'."
