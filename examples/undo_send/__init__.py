"""Undo send: a little Tornado application that sends emails with second thoughts, and its tests.

An email that is posted does not leave at once, but some seconds later. Until then, it can be called back, and is a
draft again, as in Gmail.

==========================  ===================================================  =====================
request                     action                                               answer
==========================  ===================================================  =====================
``POST /messages``          takes an email, to send it soon                      202 and its URL
``GET /messages/ID``        shows the email, and where it is on its way          200
``DELETE /messages/ID``     undo: an email that is not sent yet becomes a draft  200, or 409: too late
``POST /messages/ID/send``  sends a draft after all, or a failed email again     202, or 409
==========================  ===================================================  =====================

The answer to a malformed request is 400, and to an unknown ID 404; each error names its reason.

To try it by hand, run an SMTP server that prints emails, and the application, each in a terminal of its own::

    python -m aiosmtpd --nosetuid --listen 127.0.0.1:8025
    python -m examples.undo_send --port=8888 --smtp-port=8025 --delay=10

Write an email, and think better of it within ten seconds, at the URL that the answer to the first command names::

    curl -i http://127.0.0.1:8888/messages -d '{"from": "anna@example.com", "to": "bob@example.com",
        "subject": "What I think of you", "body": "You are a fool, Bob!"}'
    curl -X DELETE http://127.0.0.1:8888/messages/ID

All that reach the port can send emails, because there is no login. For that reason the application listens on this
machine only, unless ``--address`` names another one.

The modules, each of which knows only those above it:

- `mail`: emails, and how SMTP takes them;
- `outbox`: emails and the timers that they wait for;
- `app`: both, in terms of HTTP;
- `__main__`: the program.

The tests are in `test_undo_send`, and deliver to the real SMTP server of `mail_server`. Run them from the root of the
project::

    python -m unittest discover -t . -s examples/undo_send
"""
