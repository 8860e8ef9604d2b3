"""What the pages of the documentation show, as suites that run.

``test_*.py`` pass, from the project root::

    python -m unittest discover -t . -s docs/examples

``going_wrong.py`` has tests that go wrong on purpose; what unittest says to them is in ``reports``. ``unchanged.py``
replaces ``tornado.testing``, and is run in a process of its own. ``pytest_functions`` and ``pytest_tornado`` need
pytest and our plugin, ``pytest_mistakes`` needs those of others.
"""
