"""Figures as images: their files, and what a page shows to readers without scripts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
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
        return self.drawing(figure, theme, folder)()

    def drawing(self, figure: Figure, theme: Theme, folder: Path) -> Callable[[], str]:
        """The same, to be called later: it holds none of the tables that the figure draws."""
        request = _request(
            spec={**figure.spec(theme), "datasets": figure.datasets()},
            name=figure.name,
            folder=str(folder),
            large=LARGE,
        )
        return partial(self._ask, f"the figure '{figure.name}'", request)

    def bundle(self) -> str:
        """Vega, Vega-Lite and Vega-Embed in one script."""
        return self._ask("the script of the page", _request())

    def _ask(self, what: str, request: str) -> str:
        stdin, stdout = self._pipes
        try:
            stdin.write(request)
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


class Illustrator:
    """Draws the figures of a page one after the other, beside whatever else goes on."""

    def __init__(self, theme: Theme, folder: Path) -> None:
        self._theme, self._folder = theme, folder
        self._pool = ThreadPoolExecutor(1)
        self._engine: Engine | None = None
        self._images: dict[str, Future[str]] = {}

    def __enter__(self) -> Illustrator:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._pool.shutdown(wait=raised[0] is None, cancel_futures=True)
        if self._engine is not None:
            self._engine.__exit__(*raised)

    def begin(self, figure: Figure) -> None:
        """Draw a figure when those before it are drawn; nothing is held of its tables."""
        if self._engine is None:
            self._engine = Engine()
        drawing = self._engine.drawing(figure, self._theme, self._folder)
        self._images[figure.name] = self._pool.submit(drawing)

    def images(self) -> dict[str, str]:
        """Name of a figure -> its image as an address; waits for them.

        Raises:
            AnalysisError: when one cannot be drawn.
        """
        return {name: image.result() for name, image in self._images.items()}


def _request(**document: Any) -> str:
    """A line of JSON: as objects of Python, data take many times its room."""
    return json.dumps({"version": vega_lite_version(), **document}, allow_nan=False) + "\n"


def vega_lite_version() -> str:
    """The Vega-Lite version that altair writes, as vl-convert counts them, e.g. `6.4`."""
    import altair as alt

    return ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
