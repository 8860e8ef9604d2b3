"""How to test code that is not done when it returns: the road from a plain test to ``wait`` and ``stop``.

The code under test is as small as can be: ``delay.py`` has a function that lets some seconds pass and returns, and
one that returns at once and calls a callback when the seconds have passed. The article "Eventually Correct: Async
Testing With Tornado" by A. Jesse Jiryu Davis (2015) leads to a trustworthy test of the second one, step by step.
This example takes the same steps with Tornado 6 and this library.

``test_delay.py`` is the road itself, to be read from top to bottom. All its tests pass, from the project root::

    python -m unittest discover -t . -s examples/delay

``going_wrong.py`` has the same classes again, with tests that go wrong on purpose, because the report of a test
matters on the day when the code is broken. Its name keeps it out of the discovery above; run it by name, whole or
one test at a time::

    python -m unittest examples.delay.going_wrong
    python -m unittest examples.delay.going_wrong.WaitAndStopTest.test_stop_is_not_called

The folder ``reports`` has unittest's report of each. One test that goes wrong ends only if you press Ctrl-C::

    python -m unittest examples.delay.hanging
"""
