"""Figures as images: their files, and what a page shows to readers without scripts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from analysis.charts.figure import Figure
from analysis.charts.theme import Theme
from analysis.frames.errors import AnalysisError

ENGINE = Path(__file__).with_name("engine.py")

LARGE = 400_000
"""Bytes of an SVG beyond which a page holds a PNG instead."""


class Engine:
    """The drawing engine in a process of its own, for as long as the `with` statement lasts."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(ENGINE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate()

    def draw(self, figure: Figure, theme: Theme, folder: Path) -> str:
        """Write `<name>.svg` and `<name>.png` of a figure into a folder that exists.

        Returns:
            The image as an address that needs no file, for a page.

        Raises:
            AnalysisError: when it cannot be drawn.
        """
        spec = {**figure.spec(theme), "datasets": figure.datasets()}
        return self._ask(
            f"the figure '{figure.name}'",
            spec=spec,
            name=figure.name,
            folder=str(folder),
            large=LARGE,
        )

    def bundle(self) -> str:
        """Vega, Vega-Lite and Vega-Embed in one script."""
        return self._ask("the script of the page")

    def _ask(self, what: str, **request: Any) -> str:
        stdin, stdout = self._pipes
        try:
            json.dump({"version": vega_lite_version(), **request}, stdin, allow_nan=False)
            stdin.write("\n")
            stdin.flush()
            answer = json.loads(stdout.readline())
        except (OSError, json.JSONDecodeError):
            self._process.wait()
            ended = self._process.returncode
            why = f"signal {-ended}" if ended < 0 else f"exit code {ended}"
            raise AnalysisError(
                f"{what} cannot be drawn: the drawing engine ended with {why}"
            ) from None
        if "error" in answer:
            raise AnalysisError(f"{what} cannot be drawn: {answer['error']}")
        return answer["done"]

    @property
    def _pipes(self) -> tuple[IO[str], IO[str]]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        return stdin, stdout


def vega_lite_version() -> str:
    """The Vega-Lite version that altair writes, as vl-convert counts them, e.g. `6.4`."""
    import altair as alt

    return ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
