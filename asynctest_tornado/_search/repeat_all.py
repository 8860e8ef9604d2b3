"""Runs a test in all orders with few deviations, reports it as one."""

from typing import Any

from asynctest_tornado._schedules import settings
from asynctest_tornado._schedules.schedule import Schedule
from asynctest_tornado._search import hints, repeat
from asynctest_tornado._search.all_orders import Explorer
from asynctest_tornado._search.progress_line import ProgressLine
from asynctest_tornado._search.reports import Report
from asynctest_tornado._search.rerun import Case, Rerun
from asynctest_tornado._search.runs import Runs

__unittest = True


def run(result: Any, bound: int | None, runs: Runs, *, is_required: bool) -> None:
    """Run a test in all orders, up to the first one in which it fails. No order with fewer deviations does.

    :param bound: the greatest number of deviations from the order of asyncio; None for no bound.
    """
    report = Report(result)
    explorer = Explorer(bound)
    line = ProgressLine()
    command = repeat.command_of(runs.case, result)
    was_stopped = False
    try:
        for holds in explorer:
            history = explorer.history()
            schedule = Schedule.of_holds(holds, is_required, history)
            schedule.token = settings.token_of(holds)
            if holds:
                tried = explorer.explored().orders - 1
                schedule.hint = hints.hint_explored(len(holds), tried, schedule, command)
            runs.run(schedule, report)
            was_stopped = bool(getattr(result, "shouldStop", False))
            if report.has_ended or was_stopped:
                if report.way is not None and holds and not was_stopped:
                    rerun = Rerun(Case(runs, result), 0, report.way, is_required=is_required)
                    report.explain(rerun.explained(holds), schedule.hint or "")
                break
            if not schedule.has_loop:
                break
            explorer.record(history)
            line.show(lambda: explorer.explored().progress)
    finally:
        line.wipe()
        report.finish(runs.case)
    if report.has_passed and not was_stopped:
        explored = explorer.explored()
        orders = explored.orders
        said = str(explored) if schedule.has_loop else "1 order, which is no proof: its loop has an order of its own"
        is_proof = explored.is_complete and schedule.has_loop
        repeat.count(result, orders, orders, f"{runs.case}: {said}", is_shown=not is_proof)
