"""What installed packages add to this one, named by entry points."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any


class NotUsable(ValueError):  # noqa: N818 - told to the user as such
    """What an installed package names cannot be loaded, or is not what its group is for."""


class Installed:
    """The things that the entry points of a group name, registered once in a process.

    Args:
        group: such as `memophase.claims`.
        kind: what all of them are.
        register: what takes one of them; its ValueError says why it cannot.
    """

    def __init__(self, group: str, kind: type, register: Callable[[Any], None]) -> None:
        self._group, self._kind, self._register = group, kind, register
        self._sought = False

    def __call__(self) -> None:
        """Register them, in the order of their names, unless that was done.

        Raises:
            NotUsable: naming the entry point.
        """
        if self._sought:
            return
        self._sought = True  # before loading: what is loaded may look at the registry itself
        for entry in sorted(entry_points(group=self._group), key=lambda point: point.name):
            where = f"entry point '{entry.name} = {entry.value}' of the group {self._group}"
            try:
                found = entry.load()
            except Exception as error:
                raise NotUsable(f"{where} cannot be loaded: {error}") from error
            if not isinstance(found, self._kind):
                raise NotUsable(f"{where} is no {self._kind.__name__}")
            try:
                self._register(found)
            except ValueError as error:
                raise NotUsable(f"{where}: {error}") from None
