"""What a user got wrong: every fault with the place it is in, told all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Fault:
    """One thing to mend.

    Attributes:
        place: `file:line:column` or the option it came from; empty where there is none.
        field: dotted name of the setting; empty where it concerns no single one.
        what: what is wrong and what to do.
    """

    place: str
    field: str
    what: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.field, self.what) if part)


class UsageError(ValueError):
    """A request that cannot be carried out, with all its faults.

    Attributes:
        faults: what to mend, in the order of the file.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(dict.fromkeys(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))

    @classmethod
    def of(cls, what: str, *, place: str = "", field: str = "") -> Self:
        """An error with a single fault."""
        return cls([Fault(place, field, what)])
