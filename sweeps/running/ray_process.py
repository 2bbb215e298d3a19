"""Ray in a process of its own, so that its death is an event of the run and not its end.

Where the head of a cluster is gone, Ray's C++ ends the process that it runs in; where its raylet
is, calls into Ray never return. Neither can be caught from within. So the run itself, with its
heartbeat, its display and its way out, never imports Ray: it starts this process, tells it what to
train, hears what happens, and takes the end of the process, announced or not, for the loss of Ray.
Whatever Ray prints goes to a file, which is kept where it may explain something.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sweeps.running import access, tuner
from sweeps.running.tuner import Trials
from sweeps.running.watcher import StorageFull, is_full

if TYPE_CHECKING:
    from sweeps.running.watcher import Watcher

PATIENCE = 30.0
"""Seconds that Ray has to shut down before its driver is killed, and Ray with it."""
KEPT = 1 << 16
"""Bytes of Ray's words that are kept, the last ones."""

CONNECTED, TOLD, WANTED, TRAINED = "connected", "told", "wanted", "trained"
LOST, INTERRUPTED, UNREACHABLE, REFUSED = "lost", "interrupted", "unreachable", "refused"
"""What the process says, each with its values."""
TRAIN, MORE = "train", "more"
"""What it is told: how to train, and the tasks that it asked for."""

START = "import sys; sys.path[:] = {path}; from {module} import serve; serve({fd}, {address!r})"
"""The process. multiprocessing would run the caller's script anew in it."""


Mailbox = dict[str, "SimpleQueue[Any]"]
"""Kind of order -> those that arrived."""


class RayLost(RuntimeError):  # noqa: N818 - told to the user as such
    """Ray died under a run; what was published stays.

    Attributes:
        log: what Ray printed.
    """

    def __init__(self, what: str, log: str = "") -> None:
        super().__init__(what)
        self.log = log


class RayNotStarted(RayLost):
    """Ray died, or gave up, before it took anything on; nothing is lost but time."""


class RayProcess:
    """A Ray that lasts as long as the `with` block.

    Args:
        address: as `access.reachable` returns it.

    Attributes:
        nodes: `CPU`, `GPU` and more of each of its machines.

    Raises:
        UsageError: when there is a cluster that did not take us in.
        RayNotStarted: on entering, when it did not come up.
        RayLost: at any time, when it died.
        StorageFull: when results could not be published for want of space.
        KeyboardInterrupt: when this process or that one was asked to end.
    """

    nodes: list[dict[str, float]]

    def __init__(self, address: str) -> None:
        self._address = address
        self._finishing = False

    def __enter__(self) -> RayProcess:
        self._log = tempfile.TemporaryFile()
        self._connection, theirs = Pipe()
        start = START.format(
            path=sys.path, module=__name__, fd=theirs.fileno(), address=self._address
        )
        # Ctrl-C on a terminal reaches all processes at once; this one decides for the other.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", start],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=[theirs.fileno()],
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        try:
            (self.nodes,) = self._until(CONNECTED)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            if isinstance(error, RayLost):
                raise RayNotStarted(str(error), error.log) from None
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, RayLost):
            self._process.kill()
        self._send(None)
        self._connection.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def train(
        self,
        trials: Trials,
        watcher: Watcher,
        more: Callable[[], list[dict[str, Any]] | None],
    ) -> None:
        """Train packs to their ends.

        Args:
            trials: how.
            watcher: told what happens to each.
            more: asked for tasks whenever some could start; None: that was all.
        """
        self._send((TRAIN, trials))
        self._until(TRAINED, watcher, more)
        if self._finishing:
            raise KeyboardInterrupt

    def finish(self) -> None:
        """Ask for no more than the measurements under way; `train` then ends as interrupted."""
        self._finishing = True
        self._process.send_signal(signal.SIGUSR2)

    def _send(self, order: Any) -> None:
        with contextlib.suppress(OSError):  # it has died, as what is heard next says
            self._connection.send(order)

    def _until(
        self,
        awaited: str,
        watcher: Watcher | None = None,
        more: Callable[[], list[dict[str, Any]] | None] = lambda: None,
    ) -> list[Any]:
        """Hear what it says until it says this; returns with which values."""
        while True:
            kind, *values = self._heard()
            if kind == awaited:
                return values
            if kind == TOLD:
                event, *arguments = values
                getattr(watcher, event)(*arguments)
                if event == "retried" and is_full(arguments[-1]):
                    raise StorageFull("the disk is full")
            elif kind == WANTED:
                self._send((MORE, None if self._finishing else more()))
            elif kind == INTERRUPTED:
                raise KeyboardInterrupt
            elif kind == UNREACHABLE:
                raise access.unreachable(self._address, *values)
            elif kind == REFUSED:
                raise access.refused(self._address)
            elif is_full(str(values[0])):
                raise StorageFull("the disk is full")
            else:
                raise RayLost(*values, log=self._words())

    def _heard(self) -> tuple[Any, ...]:
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            return LOST, "its head is gone, or its driver was killed"

    def _words(self) -> str:
        """The end of what Ray printed; read without moving the place at which it prints."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), KEPT, max(size - KEPT, 0)).decode(errors="replace")


def serve(fd: int, address: str) -> None:
    """What the process does, until it is told to end.

    Args:
        fd: its end of the connection.
        address: as `access.reachable` returns it.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    finishing = threading.Event()
    signal.signal(signal.SIGUSR2, lambda *_: finishing.set())  # SIGUSR1 is Ray Tune's
    os.set_inheritable(fd, False)
    connection = Connection(fd)
    orders: Mailbox = {TRAIN: SimpleQueue(), MORE: SimpleQueue()}
    threading.Thread(target=_listen, args=(connection, orders), daemon=True).start()
    turn = threading.Lock()

    def say(*message: Any) -> None:
        with turn, contextlib.suppress(OSError):
            connection.send(message)

    try:
        _obey(orders, address, say, finishing)
    except KeyboardInterrupt:
        say(INTERRUPTED)
    except tuner.Unreachable as error:
        say(REFUSED if isinstance(error, tuner.Refused) else UNREACHABLE, str(error))
    except Exception as error:
        traceback.print_exc()
        say(LOST, str(error).strip().partition("\n")[0] or type(error).__name__)
    sys.stderr.flush()
    os._exit(0)  # Ray is shut down; taking its modules apart would take half a second


def _listen(connection: Connection, orders: Mailbox) -> None:
    """Take orders; None interrupts whatever goes on, and without a giver all ends at once."""
    try:
        while (order := connection.recv()) is not None:
            kind, values = order
            orders[kind].put(values)
    except (EOFError, OSError):
        os._exit(1)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(PATIENCE)
    os._exit(1)


def _obey(
    orders: Mailbox, address: str, say: Callable[..., None], finishing: threading.Event
) -> None:
    tuner.prepare(address)
    from sweeps.running.searcher import PackSearcher
    from sweeps.running.watchdog import Watchdog

    watchdog = Watchdog(address, lambda what: say(LOST, what))
    with tuner.connected(address):
        # Ray has set a handler of its own.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            say(CONNECTED, tuner.nodes())
            while True:
                trials = orders[TRAIN].get()
                searcher = PackSearcher(lambda: say(WANTED), orders[MORE], finishing, trials.seam)
                tuner.train(trials, lambda *event: say(TOLD, *event), searcher, finishing)
                say(TRAINED)
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends as fast as it can
            watchdog.stop()
