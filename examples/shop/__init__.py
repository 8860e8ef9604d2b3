"""A shop: a Tornado application of the usual parts, and its tests.

Customers sign in at an OAuth provider, fill baskets and order. A basket that is left alone for a quarter of an hour is
emptied. A child process writes the invoice of an order, after the answer to it.

===============================  ========================================================  ==========================
request                          action                                                    answer
===============================  ========================================================  ==========================
``GET /login``                   signs in, by way of the provider                          a redirect, then the basket
``POST /logout``                 signs out                                                 204
``GET /products``                lists the products                                        200
``POST /products``               adds a product, if a manager asks                         201 and its ID, or 403
``PUT /products/ID/picture``     takes the file of a form as its picture, likewise         204, 403, 413 or 415
``GET /products/ID/picture``     shows the picture                                         200
``GET /basket``                  shows the basket of the user                              200, or 401
``POST /basket``                 puts products into the basket                             200, or 409: too few left
``POST /orders``                 orders the content of the basket                          201 and its URL, or 409
``GET /orders/ID``               shows an order, and its invoice                           200
``GET /stock``                   the stock of all products, and each change of it          server-sent events
``/stock/live``                  changes of the products that a client asks for            a websocket
===============================  ========================================================  ==========================

The answer to a malformed request is 400, and to an unknown ID 404; each error names its reason.

To try it by hand, run the provider, which signs in all who ask as Anna, and the shop, each in a terminal of its own::

    python -m examples.shop.provider anna
    python -m examples.shop --database=shop.db

Listen in a third one, and act as Anna in a fourth::

    curl -N http://127.0.0.1:8888/stock

    curl -c cookies -b cookies -L http://127.0.0.1:8888/login
    curl -b cookies http://127.0.0.1:8888/products -d '{"name": "Tea", "cents": 400, "stock": 10}'
    curl -b cookies http://127.0.0.1:8888/basket -d '{"product": 1, "quantity": 2}'
    curl -b cookies http://127.0.0.1:8888/orders -d ''
    curl -b cookies http://127.0.0.1:8888/orders/1

SIGHUP makes the shop read its settings again, from ``shop.toml``; SIGTERM ends it, as soon as requests have their
answers, and orders their invoices. The shop listens on this machine only, unless ``--address`` names another one.

The modules, each of which knows only those above it:

- `settings`: the settings, a TOML file;
- `refusal`: answers to requests that are refused;
- `feed`: the changes of the stock, and who listens to them;
- `store`: the database;
- `invoice`: invoices, and the child process that writes one;
- `shop`: all that happens by itself, and not for a request;
- `app`: all of these, in terms of HTTP;
- `server`: the process, and its signals;
- `__main__`: the program.

The tests are in `test_shop`, and some of them in `functions_test` once more, as functions of pytest. `provider` is the
OAuth provider for both. Run them from the root of the project::

    python -m unittest discover -t . -s examples/shop
    python -m pytest examples/shop
"""
