"""Where Ray is, and who may talk to it.

A Ray of our own listens on every interface of the machine, and whoever is let in runs code as the
user. What keeps others out is a token, which `guarded` asks for by name.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from sweeps.faults import UsageError

LOCAL = "local"
UNGUARDED = "MEMOPHASE_UNGUARDED_RAY"
"""Environment variable; `1` allows a Ray of our own without authentication."""
MODE, TOKEN, TOKEN_FILE = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
"""Ray's own; any mode but `token` switches authentication off."""


class NoCluster(UsageError):  # noqa: N818 - a state of the cluster, told to the user as such
    """No cluster answers where one is asked for, or it takes us not in."""


def guarded(environment: Mapping[str, str]) -> dict[str, str]:
    """What a Ray of our own needs in the environment so that it takes orders from nobody else.

    The token is made for this one run and lives in the memory of its processes, unlike Ray's own,
    which every run shares through a file that others on the machine may be able to read.

    Raises:
        UsageError: when the environment switches authentication off and does not allow that.
    """
    if environment.get(MODE, "token").lower() != "token":
        if environment.get(UNGUARDED) == "1":
            return {}
        raise UsageError.of(
            f"'{environment[MODE]}' would let anyone who reaches this machine run code as you; "
            f"unset it, or set {UNGUARDED}=1 where only you reach it",
            place=MODE,
        )
    given = environment.get(TOKEN) or environment.get(TOKEN_FILE)
    return {MODE: "token"} | ({} if given else {TOKEN: secrets.token_hex(32)})


def reachable(address: str) -> str:
    """The address of a Ray that answers: `local`, or a cluster's, with `auto` looked up.

    The cluster's port is asked before Ray is: at an address where nobody answers, such as one that
    a killed cluster left behind, Ray waits for minutes or ends the process.

    Raises:
        UsageError: when the text is no address, or nobody answers there.
    """
    if address == LOCAL:
        return address
    if address.startswith("ray://"):
        raise UsageError.of(
            "Ray Tune needs its driver inside the cluster; on its machines use auto or HOST:PORT, "
            "from outside `ray job submit --address http://HEAD:8265 -- memophase run …`, which "
            "pip install 'ray[default]' brings",
            place=f"--address {address}",
        )
    if address.startswith(("http://", "https://")):
        raise UsageError.of(
            "that is a cluster's dashboard, which takes jobs: `ray job submit --address "
            f"{address} -- memophase run …`; on the cluster's machines use auto or HOST:PORT",
            place=f"--address {address}",
        )
    found = _cluster_of_this_machine() if address == "auto" else address
    host, colon, port = found.rpartition(":")
    if not colon or not host or not port.isdecimal():
        what = f"'{found}' is none of local, auto and HOST:PORT"
        raise UsageError.of(what, place="--address")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise unreachable(found, str(error)) from None
    return found


def _cluster_of_this_machine() -> str:
    """Where Ray says that its cluster is: `RAY_ADDRESS`, or the file that `ray start` writes."""
    file = Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray" / "ray_current_cluster"
    address = os.environ.get("RAY_ADDRESS") or (file.read_text().strip() if file.exists() else "")
    if not address:
        raise unreachable("auto", "none was started on this machine")
    return address


def unreachable(address: str, why: str) -> NoCluster:
    """That nobody answers at an address."""
    return NoCluster.of(
        f"no Ray cluster answers at '{address}' ({why}); start one with `ray start --head`, "
        "or leave out --address to run on this machine",
        place="--address",
    )


def refused(address: str) -> NoCluster:
    """That a cluster answers, but not to us."""
    return NoCluster.of(
        f"the Ray cluster at '{address}' refused the token it was shown, or was shown none; set "
        f"{MODE}=token and the cluster's token in {TOKEN}, or its file in {TOKEN_FILE}",
        place="--address",
    )
