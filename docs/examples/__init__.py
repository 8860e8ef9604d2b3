"""The code that the pages of the documentation show, as suites that run.

``test_*.py`` pass, from the project root::

    python -m unittest discover -t . -s docs/examples

``going_wrong.py`` has tests that go wrong on purpose; ``reports`` has unittest's report of each. ``unchanged.py``
replaces ``tornado.testing``, and is run in a process of its own. ``pytest_functions`` and ``pytest_tornado`` need
pytest and our plugin. The files in ``tutorial`` are for a folder of the reader, and ``tests/test_tutorial.py`` runs
them in one. ``scenarios.py`` is run in tests of other libraries, by ``tests.conformance.peers``, which writes the
tables in ``measured``.
"""
