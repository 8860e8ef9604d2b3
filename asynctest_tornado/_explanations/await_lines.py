"""Finds in its code where a coroutine waits, and where it goes on."""

# Tested by tests/explanations/test_explain.py.

import asyncio
import dis
import functools
import inspect
import itertools
import linecache
import re
import types
from collections.abc import Iterable, Sequence
from typing import Any

from asynctest_tornado._harness import yieldables
from asynctest_tornado._util import real_time

__unittest = True

#: Instructions that end an await whose value the statement does not use in an expression, up to the next statement.
_SILENT = frozenset(
    (
        *("POP_TOP", "STORE_FAST", "STORE_FAST_STORE_FAST", "UNPACK_SEQUENCE"),
        *("NOP", "RESUME", "END_SEND", "NOT_TAKEN", "EXTENDED_ARG", "CACHE"),
    )
)
#: They end the statement, or begin to store its value.
_ENDS = _SILENT - {"NOP", "RESUME"}
_RETURNS = ("RETURN_VALUE", "RETURN_CONST")

#: ``asyncio.sleep``, also if a test replaces it.
_SLEEP: Any = real_time.turn.func
#: The functions of asyncio that raise no error if the future that they wait for has none.
_SAFE = {
    func.__code__
    for func in (
        *(_SLEEP, asyncio.Lock.acquire, asyncio.Lock.__aenter__),
        *(asyncio.Semaphore.acquire, asyncio.Event.wait),
    )
}
#: The functions that have a ``try`` or a ``with``, and hand on each error. The last two run a test.
_HANDING_ON = {func.__code__ for func in (asyncio.wait_for, yieldables.run, yieldables.run_generator)}
#: The letters of an awaited object that are shown.
_LONGEST = 60
_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")
#: The lines of one statement that are shown.
_MOST_LINES = 10


def line_of(code: types.CodeType, offset: int) -> int:
    """Return the number of the line of the ``await`` or ``yield`` at which a coroutine waits.

    :param offset: where it waits, as ``f_lasti`` has it.
    """
    return _positions(code, offset)[0] or code.co_firstlineno


def first_line(code: types.CodeType) -> int:
    """Return the number of the first line in the body of a function."""
    instructions = list(dis.get_instructions(code))
    names = [each.opname for each in instructions]
    begin = names.index("RESUME") + 1 if "RESUME" in names else 0
    lines = (_line_of(each) for each in instructions[begin:] if each.opname != "NOP")
    return next(filter(None, lines), code.co_firstlineno)


def awaited(code: types.CodeType, offset: int) -> str:
    """Return the text of the object that a coroutine waits for; empty if it is not known."""
    line, last, begin, end = _positions(code, offset)
    if line is None or last is None:
        return ""
    first = source_of(code.co_filename, line)
    if re.match("async (with|for) ", first):
        return _cut(first.removesuffix(":"))
    if begin is None or end is None:
        return ""
    lines = [linecache.getline(code.co_filename, number).encode() for number in range(line, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    text = _joined(_without_comment(each.decode(errors="replace")) for each in lines)
    return _cut(re.sub(r"^(await|yield from|yield)\b\s*", "", text))


def source_of(filename: str, number: int) -> str:
    """Return the text of a line; with the lines up to the closing bracket, if it ends with an opening one."""
    lines = [_without_comment(linecache.getline(filename, number))]
    while lines[0].endswith(_OPENING) and len(lines) < _MOST_LINES:
        text = "".join(lines)
        if sum(map(text.count, _OPENING)) <= sum(map(text.count, _CLOSING)):
            break
        lines.append(_without_comment(linecache.getline(filename, number + len(lines))))
    return _joined(lines)


def _without_comment(line: str) -> str:
    text = line.strip()
    return "" if text.startswith("#") else text.partition("  # ")[0].rstrip()


def _joined(lines: Iterable[str]) -> str:
    """Return several lines as one."""
    text = ""
    for part in filter(None, lines):
        if part.startswith(_CLOSING):
            text = text.removesuffix(",") + part
        else:
            text += part if not text or text.endswith(_OPENING) or part.startswith(".") else f" {part}"
    return text


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _positions(code: types.CodeType, offset: int) -> tuple[int | None, int | None, int | None, int | None]:
    """Return the first line and the last one of an instruction, and its first and last column in bytes."""
    # Each instruction has two bytes.
    return next(itertools.islice(code.co_positions(), max(offset, 0) // 2, None), (None, None, None, None))


def is_safe(code: types.CodeType) -> bool:
    """Return whether an await of a function ends with an error only if a future does that the function waits for."""
    # asyncio's own generators only wait for one turn of the loop, as sleep(0) does.
    is_turn = code.co_flags & inspect.CO_ITERABLE_COROUTINE and code.co_filename == _SLEEP.__code__.co_filename
    return code in _SAFE or bool(is_turn)


def hands_on_errors(code: types.CodeType) -> bool:
    """Return whether any error of the coroutine that a function waits for leaves the function, whatever it handles."""
    return code in _HANDING_ON


@functools.lru_cache(maxsize=1000)
def is_in_try(code: types.CodeType, offset: int) -> bool:
    """Return whether an error that occurs there may be handled in the function: by ``try`` or ``with``."""
    instructions = list(dis.get_instructions(code))
    handlers = {each.offset for each in instructions if each.opname == "PUSH_EXC_INFO"}
    # For the YIELD_VALUE before, Python 3.12 and later have a handler of their own.
    resume = next((each.offset for each in instructions if each.offset >= offset and each.opname == "RESUME"), offset)
    entries = getattr(dis.Bytecode(code), "exception_entries", None)
    return entries is None or any(entry.start <= resume < entry.end and entry.target in handlers for entry in entries)


# Cached: reading the code of a function takes a hundred times as long as a call.
@functools.lru_cache(maxsize=1000)
def line_after(code: types.CodeType, offset: int) -> int | None:
    """Return the number of the line at which a coroutine or generator goes on; None if it returns at once.

    This is the line of its ``await`` or ``yield`` itself if the statement has more to do than to keep the value in a
    local variable, which no other task can see.

    :param offset: where it waits, as ``f_lasti`` has it.
    """
    instructions = list(dis.get_instructions(code))
    places = {each.offset: place for place, each in enumerate(instructions)}
    if offset not in places:
        return None
    own = _line_of(instructions[places[offset]])
    place = _end_of_await(instructions, places, places[offset])
    if place is None:  # of an "async for", which has ended if there is no value
        return own
    name = instructions[place].opname
    if name not in _ENDS:
        return None if name == "RETURN_VALUE" else own
    seen = set()
    while place not in seen:
        seen.add(place)
        instruction = instructions[place]
        name = instruction.opname
        if name in ("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"):
            place = places[instruction.argval]
        elif name in _SILENT:
            place += 1
        else:
            following = instructions[place + 1].opname if place + 1 < len(instructions) else ""
            is_end = name in _RETURNS or (name == "LOAD_CONST" and following in _RETURNS)
            line = _line_of(instruction)
            # The end of a function without a "return" has the line of its last statement.
            return None if is_end and line in (own, None) else line
    return own


def _line_of(instruction: dis.Instruction) -> int | None:
    return None if instruction.positions is None else instruction.positions.lineno


def _end_of_await(instructions: Sequence[dis.Instruction], places: dict[int, int], place: int) -> int | None:
    """Return the place of the instruction that comes when the awaited object is done.

    None if it is an asynchronous iterator.
    """
    place += 1
    while instructions[place].opname in ("RESUME", "NOP"):
        place += 1
    # An await is a loop of SEND and YIELD_VALUE, which SEND leaves. A "yield" of a generator is none.
    if instructions[place].opname != "JUMP_BACKWARD_NO_INTERRUPT":
        return place
    send = places[instructions[place].argval]
    if instructions[send].opname != "SEND":
        return place
    if any(each.opname == "GET_ANEXT" for each in instructions[max(0, send - 2) : send]):
        return None
    place = places[instructions[send].argval]
    return place + 1 if instructions[place].opname == "END_SEND" else place
