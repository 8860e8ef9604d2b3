"""A checkout: a Tornado application with an outside payment provider, and its tests, on a network with faults.

The provider takes money by HTTPS, and sends events over a websocket: also for payments whose response was lost, and for
refunds, which begin at the provider.

=====================  ===============================================  ==============================================
request                action                                           answer
=====================  ===============================================  ==============================================
``POST /checkout``     lets the provider charge the card of the order   201 and the charge, 402: declined, or see below
``GET /orders/ID``     shows an order                                   200
=====================  ===============================================  ==============================================

The answer to a malformed request is 400, to an unknown ID 404, and to an order that has another amount by now 409; each
error names its reason. If there is trouble with the provider, the answer depends on the kind:

- A request that gets no response is sent again, after a pause, and a third time; then the answer is 502. All have the
  same ``Idempotency-Key``, so the card is charged once at most.
- After 15 seconds, the answer is 504.
- After 502 and 504, the order is "unconfirmed", because the card may have been charged. An event of the provider
  confirms it, or the same order once more.
- If three orders in a row have had such an answer, the next ones get a 503 at once, for a minute. Then one order is a
  trial.

To try it by hand, run a provider that charges all cards except ``expired``, and the checkout, each in a terminal of its
own::

    python -m examples.checkout.payments_stub --port=8889
    python -m examples.checkout --port=8888 --payments=http://127.0.0.1:8889

Order, and look at the order::

    curl http://127.0.0.1:8888/checkout -d '{"order": "A-1", "cents": 4200, "card": "visa"}'
    curl http://127.0.0.1:8888/orders/A-1

The modules, each of which knows only those above it:

- `breaker`: the circuit breaker, which keeps requests from a provider in trouble;
- `payments`: the provider, as its client sees it;
- `checkout`: orders, and the events of the provider;
- `app`: these in terms of HTTP;
- `__main__`: the program.

The tests are in `test_checkout`, and some of them in `functions_test` once more, as functions of pytest.
`payments_stub` is the provider for both. Run them from the root of the project::

    python -m unittest discover -t . -s examples/checkout
    python -m pytest examples/checkout
"""
