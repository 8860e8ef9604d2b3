"""How to find races: tests that pass by luck, and the orders in which their luck ends.

If several coroutines could go on, one of them has to be first. asyncio takes them one after the other, as they became
ready, and does so in each run. That is an order which it has not promised, and which code comes to rely on: it works on
every day on which nothing is slower or faster than usual. With the class attribute ``schedules = 50``, each test of the
class runs under 50 orders instead of one, each time with a setUp and tearDown of its own. The promises of asyncio hold
in all of them.

The example has three parts, each with code that works by luck, and its cure:

1. *setUp does not wait.* A ``setUp`` begins a coroutine, which prepares the test while the test runs already. It is the
   race of the article "Eventually Correct: Async Testing With Tornado" by A. Jesse Jiryu Davis (2015). ``store.py`` has
   the database for it, in memory.
2. *Lost updates.* A bank reads balances, waits, and writes sums of balances that may be old by then. It needs a lock.
   ``bank.py`` has the banks.
3. *Locks in any order.* With a lock for each account, two people who pay each other may both wait for ever. They need
   an order in which to lock.

``test_races.py`` has the tests, from the lucky to the right ones. All pass, from the project root::

    python -m unittest discover -t . -s examples/races

With ``-v``, unittest says how many orders were tried for each test, and how many of these were different: a test in
which little happens at the same time has only a few.

``going_wrong.py`` has the lucky tests again: there, each has to pass in 50 orders, and does not. Its name keeps it out
of the discovery above; run it by name, whole or one test at a time::

    python -m unittest examples.races.going_wrong
    python -m unittest examples.races.going_wrong.BankTest.test_two_people_pay_a_third

The folder ``reports`` has unittest's report of each. The first order in which a test fails is shrunk to the deviations
from asyncio's own order that matter. The report is about that order, names it, and has the command that runs the test
in it and in no other, as often as you like. The number of the order that was found first is called its seed, which has
such a command, too::

    ASYNC_TEST_SEED=1 python -m unittest examples.races.going_wrong.BankTest.test_two_people_pay_a_third

Seed 0 is asyncio's own order. A seed means the same order on every computer, as long as the code is the same and
nothing from outside comes in between: no thread, no network, and no real time, which is why the bank's tests have a
``VirtualClock``. When the code has changed, run the test in all 50 orders again.
"""
