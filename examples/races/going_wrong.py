"""The lucky tests, under 50 orders: their luck ends. The classes have the names of classes of the tests that pass.

Discovery does not find this module. ``reports`` has unittest's report of each test, under the test's name.

Only the number of orders has changed. For tests that do not set it, ``ASYNC_TEST_SCHEDULES=50`` in the environment does
the same, and so does ``python -m asynctest_tornado --schedules=50``.
"""

from examples.races import test_races, test_wiki


class SetUpIsNotAwaitedTest(test_races.SetUpIsNotAwaitedTest):
    """Part 1. Here the test goes on before ``setup_coro`` does, and asks for a document that is not inserted yet.

    The store is not to blame: it serves all requests in the order in which they are sent.
    """

    schedules = 50


class BankTest(test_races.BankTest):
    """Part 2. Here the second transfer reads the balances before the first one has written them.

    Then it writes over them. The first payment never arrives, or was never taken out of the account.
    """

    schedules = 50


class LockedAccountsTest(test_races.LockedAccountsTest):
    """Part 3. Here Bob locks his account before Anna's transfer does, and each waits for the other one.

    Nothing is left that could wake them, so the test fails at once. The report shows where both of them stand.
    """

    schedules = 50


class WikiTest(test_wiki.WikiTest):
    """Part 4. Here the second author looks for an address before the first one's page has got the same one.

    hypothesis has found the titles, and shrunk them; the seed has found the order, which was shrunk after that.
    """

    schedules = 50
