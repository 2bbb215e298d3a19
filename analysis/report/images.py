"""Figures as images: their files, and what a page shows to readers without scripts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Any

from analysis.charts.figure import Figure
from analysis.charts.theme import Theme
from analysis.frames.errors import AnalysisError

ENGINE = Path(__file__).with_name("engine.py")

LARGE = 400_000
"""Bytes of an SVG beyond which a page holds a PNG instead."""


RASTERIZERS = 2
"""Processes that make pixels of what is drawn."""


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
            self.kill()
        self._process.communicate()

    def kill(self) -> None:
        """End it now, whatever it is at: who waits for it is told that it ended."""
        self._process.kill()

    def draw(self, figure: Figure, theme: Theme, folder: Path) -> str:
        """Write `<name>.svg` and `<name>.png` of a figure into a folder that exists.

        Returns:
            The image as an address that needs no file, for a page.

        Raises:
            AnalysisError: when it cannot be drawn.
        """
        return self.rasterized(self.drawing(figure, theme, folder)())

    def drawing(self, figure: Figure, theme: Theme, folder: Path) -> Callable[[], Path]:
        """What writes the SVG file, to be called later: it holds no table that the figure draws."""
        file = folder / f"{figure.name}.svg"
        spec = {**figure.spec(theme), "datasets": figure.datasets()}
        request = _request(version=vega_lite_version(), spec=spec, image=str(file))
        return lambda: Path(self._ask(f"the figure '{figure.name}'", request))

    def rasterized(self, file: Path) -> str:
        """Write the PNG file of an SVG file; returns the image as an address that needs no file."""
        return self._ask(f"the figure '{file.stem}'", _request(image=str(file), large=LARGE))

    def bundle(self) -> str:
        """Vega, Vega-Lite and Vega-Embed in one script."""
        return self._ask("the script of the page", _request(version=vega_lite_version()))

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


@contextmanager
def page_script() -> Iterator[Future[str]]:
    """`Engine.bundle`, beside the block; given up where that fails.

    Of an engine of its own, which ends with it: what it took would stay beside what is drawn.
    """
    engine = Engine()

    def bundle() -> str:
        with engine:
            return engine.bundle()

    with ThreadPoolExecutor(1) as pool:
        script = pool.submit(bundle)
        try:
            yield script
        except BaseException:
            engine.kill()
            raise


class Illustrator:
    """Draws the figures of a page one after the other, beside whatever else goes on."""

    def __init__(self, theme: Theme, folder: Path) -> None:
        self._theme, self._folder = theme, folder
        self._pool = ThreadPoolExecutor(1)
        self._engine: Engine | None = None
        self._drawn: dict[str, Future[Path]] = {}

    def __enter__(self) -> Illustrator:
        return self

    def __exit__(self, *raised: Any) -> None:
        if raised[0] is not None and self._engine is not None:
            self._engine.kill()
        self._end()

    def _end(self) -> None:
        """Draw no more; the engine gives its memory back."""
        self._pool.shutdown(cancel_futures=True)
        if self._engine is not None:
            self._engine.__exit__(None, None, None)
            self._engine = None

    def begin(self, figure: Figure) -> None:
        """Draw a figure when those before it are drawn; nothing is held of its tables."""
        if self._engine is None:
            self._engine = Engine()
        drawing = self._engine.drawing(figure, self._theme, self._folder)
        self._drawn[figure.name] = self._pool.submit(drawing)

    def images(self) -> dict[str, str]:
        """Name of a figure -> its image as an address; waits for them.

        Pixels are made at the end, when nothing else needs the processors and the engine that drew
        has given its memory back.

        Raises:
            AnalysisError: when one cannot be drawn.
        """
        files = {name: drawn.result() for name, drawn in self._drawn.items()}
        self._end()
        idle: SimpleQueue[Engine] = SimpleQueue()

        def image(file: Path) -> str:
            engine = idle.get()
            try:
                return engine.rasterized(file)
            finally:
                idle.put(engine)

        with ThreadPoolExecutor(RASTERIZERS) as pool, ExitStack() as engines:
            for _ in range(RASTERIZERS):
                idle.put(engines.enter_context(Engine()))
            return dict(zip(files, pool.map(image, files.values()), strict=True))


def _request(**document: Any) -> str:
    """A line of JSON: as objects of Python, data take many times its room."""
    return json.dumps(document, allow_nan=False) + "\n"


def vega_lite_version() -> str:
    """The Vega-Lite version that altair writes, as vl-convert counts them, e.g. `6.4`."""
    import altair as alt

    return ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
