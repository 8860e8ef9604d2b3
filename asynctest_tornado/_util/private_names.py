"""Every private name of other packages that this library uses, in one table.

A row has the reason, the loss without the name, and the fallback. Local variables that this library looks up in frames
and closures of other packages have their rows, too. Local variables of its own functions are no way to hand anything
on: see `asynctest_tornado._harness.yieldables.generators`.

Where another package renames one, `tests/util/test_private_names.py` names its row.
"""

from dataclasses import dataclass

__unittest = True


@dataclass(frozen=True)
class Private:
    """A private name of another package."""

    #: The module or class that has it, or whose instances have it.
    owner: str
    name: str
    #: Why the library uses it.
    reason: str
    #: The loss of users without it; empty if that is only speed.
    loss: str
    #: The library does this instead.
    fallback: str
    #: The version of Python that it came with.
    since: tuple[int, int] = (3, 11)
    #: The first version of Python without it.
    until: tuple[int, int] = (99, 0)


@dataclass(frozen=True)
class Local:
    """A local variable of a function of another package."""

    #: The function that has it.
    owner: str
    name: str
    #: The room that looks it up.
    room: str
    reason: str
    loss: str
    fallback: str


_LOOP = "asyncio.SelectorEventLoop"
_HANDLE = "asyncio.Handle"
_FUTURE = "asyncio.Future"
_TASK = "asyncio.Task"
_CASE = "unittest.TestCase"
_HANDLER = "tornado.web.RequestHandler"
_POOL = "concurrent.futures.thread"
_CURL = "tornado.curl_httpclient.CurlAsyncHTTPClient"
_CLIENT = "tornado.httpclient.AsyncHTTPClient"
_CONFIGURABLE = "tornado.util.Configurable"
_IOLOOP = "tornado.ioloop.IOLoop"
_REQUEST = "tornado.simple_httpclient._HTTPConnection"
_RESULT = "unittest.TestResult"
_FORKSERVER = "multiprocessing.forkserver"
_TRACKER = "multiprocessing.resource_tracker"

_RECYCLES = "a loop takes over the selector and the sockets of the one before"
_TIME = "virtual time; a VirtualClock is an error"
_PLAIN = "new_ioloop() makes the plain loop of asyncio"
_FILLS = "a loop gets its attributes without the system calls of its constructors"
_BY_ASYNCIO = "the constructors of asyncio run"
_PHASE = "to run a part of a test on the loop"
_NO_CASES = "AsyncTestCase"
_REFUSES = "the import of AsyncTestCase is an error"
_REPORTS = "to report errors between two tests as unittest does"
_NO_VERIFICATION = "TLS contexts without verification"
_STREAMS = "to read a response while it arrives"
_INHERITS = "threads inherit contexts"
_BY_PYTHON = "Python reports them"
_HELPER = "helpers are no children"
_NO_LOOP = "whether a policy has a loop"
_IS_CHILD = "a helper is a child"
_OF_BLOCKED = "the hint for a client that blocks its server"


def _filled() -> tuple[Private, ...]:
    names = (
        *("_asyncgens_shutdown_called", "_closed", "_coroutine_origin_tracking_enabled"),
        *("_coroutine_origin_tracking_saved_depth", "_current_handle", "_debug", "_default_executor"),
        *("_exception_handler", "_executor_shutdown_called", "_stopping", "_task_factory", "_thread_id"),
        *("_timer_cancelled_count", "_transports"),
    )
    return (
        *(Private(_LOOP, name, _FILLS, "", _BY_ASYNCIO) for name in names),
        Private(_LOOP, "_old_agen_hooks", _FILLS, "", _BY_ASYNCIO, since=(3, 12)),
        Private(_LOOP, "_unix_server_sockets", _FILLS, "", _BY_ASYNCIO, since=(3, 13)),
        Private(_LOOP, "_watcher", _FILLS, "", _BY_ASYNCIO, since=(3, 14)),
        Private("asyncio.coroutines", "_is_debug_mode", "whether that has been replaced", "", _BY_ASYNCIO),
    )


PRIVATE: tuple[Private, ...] = (
    Private(
        "socket.SocketIO", "_sock", "the server that a client waits for", "the hint for a client that blocks", "none"
    ),
    Private(
        *("hypothesis.core", "_hypothesis_internal_use_settings", "the examples that have failed in each order"),
        *("examples are run again in other orders than theirs", "one database of examples for all orders"),
    ),
    # The loop.
    *(
        Private(_LOOP, name, _RECYCLES, _TIME, _PLAIN)
        for name in (
            *("_close_self_pipe", "_csock", "_internal_fds", "_make_self_pipe", "_read_from_self", "_ssock"),
            "_write_to_self",
        )
    ),
    *(
        Private(_LOOP, name, "virtual sockets of asyncio's clients", "a VirtualNetwork for asyncio", "real sockets")
        for name in ("_make_socket_transport", "_make_ssl_transport")
    ),
    Private(_LOOP, "_add_reader", "the real ports of servers in memory", "a VirtualNetwork for threads", "none"),
    Private("asyncio.base_events.Server", "_sockets", "servers of asyncio on several hosts", "such servers", "none"),
    Private(_LOOP, "_selector", "the seam for time limits and deadlocks", f"deadlocks, and {_TIME}", _PLAIN),
    Private(
        _LOOP, "_ready", "calls that are still to be made", f"all but the first error of a gather; {_TIME}", _PLAIN
    ),
    Private(_LOOP, "_scheduled", "timers that are set", f"leaks of timers, deadlocks, and {_TIME}", _PLAIN),
    Private(_LOOP, "_clock_resolution", "which timers asyncio takes for due", _TIME, _PLAIN),
    Private(_LOOP, "_signal_handlers", "whether a signal can wake the loop", "deadlocks", "any signal can"),
    Private(_LOOP, "_asyncgens", "whether to shut some down", "", "it runs shutdown_asyncgens()"),
    Private(
        _LOOP, "_asyncgen_firstiter_hook", "which asynchronous generators a test began", "their leaks", "none is known"
    ),
    Private(_HANDLE, "_loop", _RECYCLES, _TIME, _PLAIN),
    Private(_HANDLE, "_callback", "the name of a callback", f"names in reports; {_TIME}", _PLAIN),
    Private(_HANDLE, "_run", "whether a timer has failed", "", "a timer may seem cut off"),
    Private(_HANDLE, "_args", "the function that Tornado wraps", "names in reports", "the wrapper's name"),
    Private(
        _HANDLE, "_context", "the test that a callback belongs to", f"leaks of timers before 3.12; {_TIME}", _PLAIN
    ),
    Private(
        "asyncio.futures", "_set_result_unless_cancelled", "which timers are of asyncio.sleep", "", "each is noted"
    ),
    Private("asyncio.events", "_event_loop_policy", "whether the user has set a policy", "a policy", "it is ignored"),
    Private("asyncio.unix_events._UnixDefaultEventLoopPolicy", "_watcher", _NO_LOOP, "", "it has none", until=(3, 14)),
    *(
        Private(f"asyncio.events.{name}", "_local", _NO_LOOP, "", "the policy of the tests stays", since, until)
        for name, since, until in (
            ("BaseDefaultEventLoopPolicy", (3, 11), (3, 14)),
            ("_BaseDefaultEventLoopPolicy", (3, 14), (99, 0)),
        )
    ),
    *_filled(),
    *(
        Private(_LOOP, name, "the calls of a test with a trace", "the steps in a trace", "a trace without them")
        for name in ("_call_soon", "_add_callback")
    ),
    # Futures and tasks.
    Private(
        _FUTURE, "_exception", "an error, without a mark that it was seen", "errors that gather drops", "they are lost"
    ),
    Private(
        _FUTURE, "_log_traceback", "whether an error was seen", "", "asyncio reports the error as it drops the future"
    ),
    Private(_FUTURE, "_callbacks", "the coroutine that a future is of", "its line in a timeout report", "no line"),
    Private(_FUTURE, "_source_traceback", "to take our frame out in debug mode", "", "our frame stays in"),
    Private("asyncio.Timeout", "_task", "the task that a timeout() is of", "settle() waits for idle ones", "no task"),
    Private(_TASK, "_fut_waiter", "the future that a task waits for", "its line in a timeout report", "no line"),
    Private(
        _TASK,
        "_must_cancel",
        "a cancellation that uncancel() has not undone",
        "orders of such a task",
        "they are not tried",
    ),
    Private(_TASK, "_log_destroy_pending", "to abandon a task that cannot be ended", "", "asyncio logs it"),
    Private(
        "asyncio.tasks._GatheringFuture", "_children", "the parts of a gather", "their lines in a report", "no lines"
    ),
    # Tornado.
    Private(_CONFIGURABLE, "_Configurable__impl_class", "whether IOLoop is configured", "", "Tornado looks"),
    Private(_CONFIGURABLE, "_Configurable__impl_kwargs", "whether IOLoop is configured", "", "Tornado looks"),
    Private(_IOLOOP, "_ioloop_for_asyncio", "whether a test has made its loop", "", "it looks at all objects"),
    Private(_IOLOOP, "_run_callback", "the function that wraps callbacks", "names of callbacks", "the wrapper's name"),
    Private("tornado.gen", "_create_future", "the test that owns a coroutine", "leaks of coroutines", "none is known"),
    Private(
        *("tornado.process.Subprocess", "_waiting", "whether a subprocess is awaited"),
        *("that virtual time waits for it", "none is"),
    ),
    Private("tornado.tcpclient.TCPClient", "_create_stream", "to connect with fewer objects", "", "connect() as it is"),
    Private("tornado.tcpclient", "_Connector", "whether a test has replaced it", "", "connect() as it is"),
    Private("tornado.iostream.IOStream", "_connect_future", "whether it connects", "", "connect() as it is"),
    Private("tornado.iostream.IOStream", "_state", "to move a watched stream into memory", "such streams", "none"),
    Private("tornado.iostream.BaseIOStream", "_add_io_state", "to notice its end", "", "connect() as it is"),
    Private("tornado.iostream.BaseIOStream", "_state", "to move a watched stream", "such a stream in memory", "none"),
    Private("tornado.simple_httpclient", "_HTTPConnection", _NO_VERIFICATION, "", "a context for each request"),
    Private(_REQUEST, "_get_ssl_options", _NO_VERIFICATION, "", "a context for each request"),
    Private(_REQUEST, "_on_timeout", "to go on after a stop at a breakpoint", "", "the request has timed out"),
    Private(_REQUEST, "_timeout", "to go on after a stop at a breakpoint", "", "the request has timed out"),
    Private(_REQUEST, "_create_connection", _STREAMS, "stream()", "an error, in the tests that stream"),
    Private(_REQUEST, "_remove_timeout", _STREAMS, "stream()", "an error, in the tests that stream"),
    Private(_REQUEST, "_run_callback", _STREAMS, "stream()", "an error, in the tests that stream"),
    Private(_HANDLER, "_break_cycles", "to let go of a handler that has ended", "", "the garbage collector does"),
    Private(
        *(_HANDLER, "_handle_request_exception", "whether Tornado has handled an error of a step"),
        *("the line after an await in the explanation of an order", "the line of the await"),
    ),
    Private(
        *(_HANDLER, "_execute", "whether a task runs a request handler"),
        *("the line after an await in the explanation of an order", "the line of the await"),
    ),
    Private(_HANDLER, "_finished", "whether the client gets the error", "", "it looks at _headers_written"),
    Private(
        *(_HANDLER, "_headers_written", "whether the client gets the error"),
        *("an error after the headers", "the client knows it"),
    ),
    Private(_CLIENT, "_closed", "whether a client is open", "leaks of clients", "it is taken as closed"),
    Private(_CLIENT, "_async_client_dict_", "to drop the clients of closed loops", "", "Tornado keeps them"),
    Private(_CLIENT, "_instance_cache", "whether a client is shared", "", "none is"),
    Private("tornado.httpserver.HTTPServer", "_connections", "whether a server has connections", "", "it closes all"),
    Private(
        "tornado.tcpserver.TCPServer", "_sockets", "whether a server listens", "its leak", "it is taken as stopped"
    ),
    Private(_CURL, "_curls", "the requests of a client", "their lines in a report", "no lines"),
    Private(_CURL, "_requests", "the requests that wait", "their lines in a report", "no lines"),
    # unittest.
    *(Private(_CASE, name, _PHASE, _NO_CASES, _REFUSES) for name in ("_callSetUp", "_callTestMethod", "_callTearDown")),
    Private(_CASE, "_callCleanup", _PHASE, _NO_CASES, _REFUSES),
    Private(
        _CASE, "_cleanups", "resources that a cleanup is going to close", "that these are no leaks", "they are leaks"
    ),
    Private(_CASE, "_class_cleanups", "the end of a class", "errors after setUpClass()", "Python reports them"),
    Private(_CASE, "_outcome", "the result, and whether a failure is expected", "errors after the test", "sys.stderr"),
    Private(_CASE, "_testMethodName", "the name of a test", "", "the end of id()"),
    Private(_CASE, "_testMethodDoc", "to send a report to another process", "the docstring in it", "none"),
    Private("unittest.suite", "_ErrorHolder", "the stand-in for a test that is gone", "", "a test stands in for it"),
    Private(_RESULT, "_previousTestClass", "where unittest ends a class", "errors of its end", "the end of the run"),
    Private(_RESULT, "_setupStdout", _REPORTS, "the redirection of output", "none"),
    Private(_RESULT, "_restoreStdout", _REPORTS, "the redirection of output", "none"),
    Private(_RESULT, "_testRunEntered", "whether a suite is inside another one", "", "reports come earlier"),
    Private(
        "unittest.TextTestRunner", "_makeResult", "to hand on progress and journal", "--junit and progress", "none"
    ),
    # The standard library.
    Private("selectors.EpollSelector", "_selector", "to ask for events at less cost", "", "select() of its class"),
    Private("selectors.EpollSelector", "_fd_to_key", "to ask for events at less cost", "", "get_map()"),
    Private(_POOL, "_threads_queues", "which threads are of pools", "time waits for these", "they are like others"),
    Private(_POOL, "_worker", "whether a thread of a pool works", "time waits while there are such threads", "it does"),
    Private(f"{_POOL}.ThreadPoolExecutor", "_idle_semaphore", "whether a pool has work", "time may pass early", "none"),
    Private(f"{_POOL}.ThreadPoolExecutor", "_threads", "whether a pool has work", "time may pass early", "none"),
    Private("threading.Semaphore", "_value", "whether a pool has work", "time may pass early", "none"),
    Private("threading.Thread", "_target", "the function of a thread", "its name in reports", "the name of the thread"),
    Private(
        "threading.Thread", "_context", "the contexts of a thread", "", "the contexts of its creator", since=(3, 14)
    ),
    Private("threading", "_start_new_thread", _INHERITS, "errors in threads", _BY_PYTHON, until=(3, 13)),
    Private("threading", "_start_joinable_thread", _INHERITS, "errors in threads", _BY_PYTHON, since=(3, 13)),
    Private("threading", "_register_atexit", "the end, before threads are joined", "", "the functions of atexit"),
    Private("warnings", "_showwarnmsg_impl", "whether warnings are recorded", "", "as if they were not"),
    Private("warnings", "_get_context", "whether warnings are recorded", "", "as if they were not", since=(3, 14)),
    Private("warnings", "_get_filters", "the filters of warnings", "", "warnings.filters", since=(3, 14)),
    Private("warnings", "_warn_unawaited_coroutine", "coroutines never awaited", "an error for these", "Python warns"),
    Private("logging.Logger", "_log", "exc_info that a record lacks", "", "the record alone counts"),
    Private("os._Environ", "_data", "a variable at less cost", "", "os.environ.get()"),
    Private(_FORKSERVER, "_forkserver", _HELPER, "deadlocks", _IS_CHILD),
    Private(f"{_FORKSERVER}.ForkServer", "_forkserver_pid", _HELPER, "deadlocks", _IS_CHILD),
    Private(_TRACKER, "_resource_tracker", _HELPER, "deadlocks", _IS_CHILD),
    Private(f"{_TRACKER}.ResourceTracker", "_pid", _HELPER, "deadlocks", _IS_CHILD),
    # pytest and its plugins.
    Private("_pytest.python.Function", "_fixtureinfo", "the fixtures of a test function", "test functions", "an error"),
    *(
        Private(
            "_pytest.python.Function",
            name,
            "to run a test function again",
            "the order of a failure is not shrunk",
            "none",
        )
        for name in ("_initrequest", "_instance", "_obj", "_request")
    ),
    Private("_pytest.nodes.Item", "_report_sections", "to run a test out of sight", "its output is reported", "none"),
    Private("_pytest.main.Session", "_setupstate", "to run a test function again", "fixtures of its module", "none"),
    Private("_pytest.python.PyCollector", "_genfunctions", "to collect generators as tests", "these", "an error"),
    Private("_pytest.main.Session", "_fixturemanager", "whether a fixture needs the loop", "", "each does"),
    Private("_pytest.fixtures.FixtureDef", "_finalizers", "to forget a refused fixture", "", "an assertion of pytest"),
    Private("_pytest.unittest.TestCaseFunction", "_excinfo", "whether pytest has a late error", "", "it is reported"),
    Private(
        *("_pytest.logging.LoggingPlugin", "report_handler", "whether a report has an error already"),
        *("", "the log in a report has the error as well"),
    ),
    Private(
        "pluggy._hooks.HookCaller", "_call_history", "to register fixtures first", "precedence", "the order of plugins"
    ),
    Private(
        *("tornado.websocket.WebSocketProtocol13", "_receive_frame_loop", "whether a task waits for its client"),
        *("the reason in a timeout report, the step in an explanation", "the name of Tornado's coroutine"),
    ),
    Private(
        *("tornado.http1connection.HTTP1Connection", "_read_message", "whether a task reads a request or a response"),
        *("the step in the explanation of an order", "it goes on"),
    ),
    *(
        Private("tornado.websocket.WebSocketProtocol13", name, "messages of websockets", "these in a trace", "an error")
        for name in ("_write_frame", "_handle_message", "_frame_compressed")
    ),
    Private("pytest_asyncio.plugin", "_force_asyncio_fixture", "fixtures of another plugin", "", "they are ours"),
)

LOCALS: tuple[Local, ...] = (
    *(
        Local("asyncio.gather", name, "_loop.gather", "its error", "errors that it drops", "these are lost")
        for name in ("outer", "return_exceptions")
    ),
    Local(
        *("tornado.gen.multi_future", "future", "_sources.loggers", "the error that it fails of"),
        *("which error came first", "the others are reported by themselves"),
    ),
    Local(
        *("tornado.web.RequestHandler.send_error", "self", "_sources.loggers", "the handler that cannot send an error"),
        *("", "Tornado's line about that is logged at once"),
    ),
    Local(
        *("tornado.ioloop.IOLoop._run_callback", "callback", "_leaks.spawned", "the function that was spawned"),
        *("the line of spawn_callback() in a leak report", "the line of the coroutine's def"),
    ),
    Local(
        *("tornado.web.RequestHandler._execute", "self", "_timeouts.pending_report", "the request that a task serves"),
        *("its URL in a timeout report", "the name of the coroutine"),
    ),
    Local(
        *("tornado.simple_httpclient._HTTPConnection.run", "self", "_errors.hints", "the request that has failed"),
        *("its URL beside the error", "none"),
    ),
    Local(
        *(
            "tornado.simple_httpclient._HTTPConnection.run",
            "self",
            "_explanations.task_labels",
            "the request of a task",
        ),
        *("its URL in the explanation of an order", "the name of the coroutine"),
    ),
    Local(
        *("tornado.http1connection.HTTP1ServerConnection._server_request_loop", "self", "_explanations.task_labels"),
        *("whose requests a task reads", "a name in the explanation of an order", "the name of the coroutine"),
    ),
    Local(
        *("tornado.websocket.WebSocketProtocol13._receive_frame_loop", "self", "_explanations.task_labels"),
        *("the websocket of a task", "its path in the explanation of an order", "the name of the coroutine"),
    ),
    Local(
        "logging.Logger._log",
        "exc_info",
        "_sources.loggers",
        "the exc_info that a record lacks",
        "",
        "the record alone counts",
    ),
    Local(
        *(
            "tornado.platform.asyncio.BaseAsyncIOLoop.add_callback",
            "callback",
            "_errors.hints",
            "an object not callable",
        ),
        *("the hint how to write it", "none"),
    ),
    Local(
        *("tornado.netutil.bind_sockets", "sockaddr", "_errors.taken_address", "the address that a socket has"),
        *("the address in the hint", "the hint without it"),
    ),
    Local(
        *("tornado.netutil.add_accept_handler", "callback", "_timeouts.pending_requests", "the server of a socket"),
        *("the hint that a server speaks HTTP", "none"),
    ),
    *(
        Local(owner, name, "_timeouts.blocking_clients", "the server that a client waits for", _OF_BLOCKED, "none")
        for owner, name in (
            ("socket.SocketIO.readinto", "self"),
            ("socket.create_connection", "sock"),
            ("tornado.httpclient.HTTPClient.fetch", "request"),
        )
    ),
    Local(
        *("socket.SocketIO.readinto", "self", "_timeouts.blocked_servers", "the server that a client waits for"),
        *("such a client ends at its own time limit", "none"),
    ),
    Local(
        *("concurrent.futures.thread._worker", "executor_reference", "_timeouts.other_threads"),
        *("whether a pool has work", "time may pass early", "none"),
    ),
)
