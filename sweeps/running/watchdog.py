"""Notices that the Ray under this process has died, where Ray itself would wait for ever.

Without its raylet Ray Tune's driver sees neither results nor failures; without the head of the
cluster (GCS) it waits for a minute, then C++ ends the process.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable

from sweeps.running import access

EVERY = 1.0
"""Seconds between two looks."""
HEADS = ("gcs_server", "raylet")
"""Processes of a Ray of our own that nothing works without."""
LOST = 1
"""Exit code of the process."""


class Watchdog:
    """Ends this process when its Ray has died; to be made before Ray is started.

    Args:
        address: of Ray, as `access.reachable` returns it.
        lost: told what died, just before.
    """

    def __init__(self, address: str, lost: Callable[[str], None]) -> None:
        self._dead = _own_processes() if address == access.LOCAL else _own_node
        self._lost = lost
        self._stop = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def stop(self) -> None:
        """Look no longer: Ray is about to be shut down."""
        self._stop.set()

    def _look(self) -> None:
        while not self._stop.wait(EVERY):
            what = self._dead()
            if what is not None and not self._stop.is_set():
                self._lost(what)
                os._exit(LOST)  # the main thread waits inside Ray for what will not come


def _own_processes() -> Callable[[], str | None]:
    """Looks at the processes that this one started; works while Ray is still starting."""
    import ray  # noqa: F401  brings psutil along
    import psutil  # isort: skip # pyright: ignore[reportMissingModuleSource]

    me, heads = psutil.Process(), {}

    def dead() -> str | None:
        for child in me.children() if len(heads) < len(HEADS) else ():
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.name() in HEADS:
                    heads[child.name()] = child
        for name, process in heads.items():
            if not alive(process):
                return f"its {name} (process {process.pid}) was ended"
        return None

    def alive(process: psutil.Process) -> bool:
        try:
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return dead


def _own_node() -> str | None:
    """Asks the cluster for the node that this process is attached to."""
    import ray

    if not ray.is_initialized():  # to ask would start another Ray
        return None
    try:
        me = ray.get_runtime_context().get_node_id()
        alive = any(node["NodeID"] == me and node["Alive"] for node in ray.nodes())
    except Exception:  # the head is gone, for which C++ ends this process
        return None
    return None if alive else "the node of this machine left it"
