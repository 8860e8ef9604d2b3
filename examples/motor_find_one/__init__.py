"""How to test coroutines, and how to prepare their data: a test that looks a document up in MongoDB.

Motor is MongoDB's asynchronous driver for Tornado. It answers with futures, and a coroutine waits for them: with
``yield`` in a generator, with ``await`` in an ``async def``. The coroutine itself needs a caller that runs it and waits
for it, which is easily forgotten in two places of a test:

1. *The test does not run.* A test method with a ``yield`` in it is a generator function. A call of it runs none of its
   lines, so unittest, which calls it and sees no error, takes it for passed. Here that is a ``TypeError``; with
   ``@gen_test`` above it, the method runs. An ``async def`` needs no decorator.
2. *setUp does not wait.* A ``setUp`` that calls a coroutine has only begun to prepare the test, or has not even begun:
   the test may find nothing. ``self.run_sync`` runs the coroutine to its end, and then the test begins.

The article "Eventually Correct: Async Testing With Tornado" by A. Jesse Jiryu Davis (2015) ends with these mistakes.
Here they are made again, with Tornado 6 and this library.

``test_find_one.py`` is how it is done. All its tests pass, from the project root::

    python -m unittest discover -t . -s examples/motor_find_one

``going_wrong.py`` is how it is not done: the same tests, with each of the two mistakes. Its name keeps it out of the
discovery above; run it by name, whole or one test at a time::

    MOTOR_MAX_WORKERS=1 python -m unittest examples.motor_find_one.going_wrong
    MOTOR_MAX_WORKERS=1 python -m unittest examples.motor_find_one.going_wrong.SetUpIsNotAwaitedTest.test_find_one

The variable lets Motor have one thread only. One of the mistakes is a race, which then has the same outcome every
time; ``SetUpIsNotAwaitedTest`` has more about it. The folder ``reports`` has unittest's report of each test.

They need ``pip install "asynctest_tornado[examples]"``, and no MongoDB: ``mongodb.py`` starts a server that speaks
its protocol, and keeps the data in memory. ``test_find_one.py`` runs on a real one as well, in a database of its own
that it drops in the end::

    MONGODB_URI=mongodb://localhost:27017 python -m unittest discover -t . -s examples/motor_find_one
"""
