"""Chat: a little Tornado application in which people talk over websockets, and its tests.

There is one room. Who is in it hears all that is said there. Messages are numbered, so that a client whose connection
was lost can come back, name the last message that it has heard, and get all that it has missed.

======================================  =============================================  =======================
request                                 what it does                                   answer
======================================  =============================================  =======================
``GET /chat?name=NAME`` (a websocket)   enters the room                                101, and what happens
``GET /chat?name=NAME&since=NUMBER``    enters, and hears first what was said since    101, and what was said
``GET /messages``                       shows what was said                            200
``GET /messages?since=NUMBER``          shows what was said since                      200, or 404: not yet
``POST /messages``                      says something from outside of the room        201, or 409: is inside
======================================  =============================================  =======================

What cannot be understood is answered with 400; each error says what is wrong. Over the websocket go JSON objects. The
client says ``{"text": "Hello"}``, and hears:

==================================================================  ================================================
message                                                             what it tells
==================================================================  ================================================
``{"type": "welcome", "members": ["anna"], "last": 0}``             who is in the room, and what was the last number
``{"type": "message", "number": 1, "name": "anna", "text": "Hi"}``  what somebody says, also the client itself
``{"type": "joined", "name": "bob"}``                               somebody comes
``{"type": "left", "name": "bob"}``                                 somebody goes
``{"type": "mistake", "error": "this is not JSON: ..."}``           what is wrong with a message of the client
==================================================================  ================================================

The application closes a websocket with 4001 where somebody else has the name, with 4002 where ``since`` is a message
that was never said, and with 1001 when it ends. A client that proposes the subprotocol ``chat.lines`` instead of
``chat.json`` says and hears lines of text.

To try it by hand, run the application, and a Python that can await, each in a terminal of its own::

    python -m examples.chat --port=8888
    python -m asyncio

Enter the room, in that Python::

    from tornado.websocket import websocket_connect
    anna = await websocket_connect("ws://127.0.0.1:8888/chat?name=anna", subprotocols=["chat.lines"])
    await anna.write_message("Is anybody there?")
    await anna.read_message()

And answer, from a third terminal, which the last of these lines, typed in once more, shows::

    curl http://127.0.0.1:8888/messages -d '{"name": "bob", "text": "I am"}'

Whoever reaches the port can talk under any name: there is no login, which is why the application listens on this
machine only, unless told otherwise.

The modules, each of which knows only those above it:

- `room`: members, and what they have said;
- `wire`: how that is written and read, as JSON or as lines;
- `app`: both, in terms of HTTP and websockets;
- `__main__`: the program.

The tests are in `test_chat`. Run them from the root of the project::

    python -m unittest discover -t . -s examples/chat
"""
