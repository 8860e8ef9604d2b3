"""Chat: a little Tornado application in which people talk over websockets, and its tests.

There is one room, whose members hear all that is said there. Messages are numbered. If a client has lost its
connection, it can come back, name the last message that it has heard, and get all later messages.

======================================  =============================================  =======================
request                                 action                                         answer
======================================  =============================================  =======================
``GET /chat?name=NAME`` (a websocket)   enters the room                                101, and all events
``GET /chat?name=NAME&since=NUMBER``    enters, and hears the later messages first     101, and all events
``GET /messages``                       shows all messages                             200
``GET /messages?since=NUMBER``          shows all later messages                       200, or 404: not yet
``POST /messages``                      says something from outside of the room        201, or 409: is inside
======================================  =============================================  =======================

The answer to a malformed request is 400; each error names its reason. Over the websocket go JSON objects. The client
says ``{"text": "Hello"}``, and hears:

==================================================================  ================================================
message                                                             meaning
==================================================================  ================================================
``{"type": "welcome", "members": ["anna"], "last": 0}``             the members, and the number of the last message
``{"type": "message", "number": 1, "name": "anna", "text": "Hi"}``  a message of a member, also of the client itself
``{"type": "joined", "name": "bob"}``                               a new member
``{"type": "left", "name": "bob"}``                                 a member has left
``{"type": "mistake", "error": "this is not JSON: ..."}``           the client has sent a malformed message
==================================================================  ================================================

The application closes a websocket with 4001 if another member has the name, with 4002 if ``since`` is a message that
was never said, and with 1001 when it ends. A client that proposes the subprotocol ``chat.lines`` instead of
``chat.json`` says and hears lines of text.

To try it by hand, run the application, and a Python that can await, each in a terminal of its own::

    python -m examples.chat --port=8888
    python -m asyncio

Enter the room, in that Python::

    from tornado.websocket import websocket_connect
    anna = await websocket_connect("ws://127.0.0.1:8888/chat?name=anna", subprotocols=["chat.lines"])
    await anna.write_message("Is the room empty?")
    await anna.read_message()

And answer, from a third terminal, which the last of these lines, typed in once more, shows::

    curl http://127.0.0.1:8888/messages -d '{"name": "bob", "text": "I am here"}'

All that reach the port can talk under any name, because there is no login. For that reason the application listens on
this machine only, unless ``--address`` names another one.

The modules, each of which knows only those above it:

- `room`: members, and their messages;
- `wire`: how messages are written and read, as JSON or as lines;
- `app`: both, in terms of HTTP and websockets;
- `__main__`: the program.

The tests are in `test_chat`. Run them from the root of the project::

    python -m unittest discover -t . -s examples/chat
"""
