#: A project of its own, which ``python -m tests.consumer`` runs elsewhere.
collect_ignore = ["project"]
