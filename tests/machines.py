"""Machines that this one pretends to be: each has processes, a network, a name and a folder for Ray
of its own, and shares with the others the files that are not hidden from it.

Linux namespaces do it, which only root may make here. `ray stop`, which ends every Ray of a
machine, ends on one of them only what runs there.
"""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.sweeps.processes import children, wait_for
from tests.sweeps.tiny import ROOT

NETWORK = "10.77.0"
APART = ("unshare", "--net", "--uts", "--pid", "--mount", "--mount-proc", "--kill-child")
BEGIN = """\
set -e
hostname "$1"
mkdir -p "$2/ray" /tmp/ray
mount --bind "$2/ray" /tmp/ray
mount --bind "$2/hosts" /etc/hosts
mount --bind "$2/resolv.conf" /etc/resolv.conf
ip link set lo up
touch "$2/ready"
while :; do sleep 1; done
"""
"""What the first process does; it also buries the orphans, as `ray stop` waits for their end."""


@dataclass(frozen=True)
class Machine:
    """One of them.

    Attributes:
        first: its first process, with which all others end.
        home: its own files; commands in `bin` there come before all others.
    """

    name: str
    address: str
    first: int
    home: Path

    def inside(self, cwd: Path, *words: str) -> list[str]:
        """A command as it is run there; who enters a machine stands in its root folder."""
        enter = ["nsenter", "-t", str(self.first), "-n", "-u", "-p", "-m"]
        return [*enter, "env", f"--chdir={cwd}", *words]

    def environment(self, changes: Mapping[str, str]) -> dict[str, str]:
        """This checkout and its Python, and nothing of another's Ray."""
        mine = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "SLURM_"))}
        folders = [self.home / "bin", Path(sys.executable).parent, mine["PATH"]]
        path = os.pathsep.join(str(folder) for folder in folders)
        return mine | {"PATH": path, "PYTHONPATH": str(ROOT)} | changes

    def start(self, *words: str, cwd: Path, log: Path, **changes: str) -> subprocess.Popen[bytes]:
        """Start a command there; what it says is added to a file."""
        with log.open("ab") as sink:
            return subprocess.Popen(
                self.inside(cwd, *words),
                env=self.environment(changes),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    def run(
        self, *words: str, cwd: Path, seconds: float = 300, **changes: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there to its end."""
        return subprocess.run(
            self.inside(cwd, *words),
            env=self.environment(changes),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


@functools.cache
def possible() -> bool:
    """Whether namespaces can be made here, and networks in them."""
    script = "ip link add one type veth peer name other && mount -t tmpfs none /mnt"
    try:
        done = subprocess.run([*APART, "sh", "-c", script], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


@contextlib.contextmanager
def machines(folder: Path, names: Sequence[str]) -> Iterator[list[Machine]]:
    """Some that see each other, and nothing else, while the block lasts."""
    addresses = {name: f"{NETWORK}.{k}" for k, name in enumerate(names, 1)}
    hosts = "127.0.0.1 localhost\n" + "".join(f"{a} {name}\n" for name, a in addresses.items())
    with contextlib.ExitStack() as stack:
        cable = stack.enter_context(_begun(folder / "cable", "cable", hosts))
        _tell(cable, "ip link add switch type bridge", "ip link set switch up")
        found = []
        for name, address in addresses.items():
            home = folder / name
            machine = Machine(name, address, stack.enter_context(_begun(home, name, hosts)), home)
            here = f"to-{len(found)}"
            _tell(
                cable,
                f"ip link add {here} type veth peer name eth0 netns {machine.first}",
                f"ip link set {here} master switch up",
            )
            _tell(
                machine.first,
                f"ip address add {address}/24 dev eth0",
                "ip link set eth0 up",
                "ip route add default dev eth0",
            )
            found.append(machine)
        yield found


@contextlib.contextmanager
def _begun(home: Path, name: str, hosts: str) -> Iterator[int]:
    """The first process of a machine."""
    (home / "bin").mkdir(parents=True)
    (home / "hosts").write_text(hosts)
    (home / "resolv.conf").write_text("nameserver 127.0.0.1\n")  # nobody, who says so at once
    outer = subprocess.Popen([*APART, "sh", "-c", BEGIN, "sh", name, str(home)])
    try:
        wait_for(lambda: (home / "ready").exists() or outer.poll() is not None)
        (first,) = children(outer.pid)
        yield first
    finally:
        outer.kill()
        outer.wait()


def _tell(first: int, *commands: str) -> None:
    """Change the network of a machine; what the kernel names is named from outside."""
    for words in commands:
        subprocess.run(["nsenter", "-t", str(first), "-n", *words.split()], check=True)
