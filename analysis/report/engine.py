"""The drawing engine, a program of its own: it takes figures from its input and writes images.

The engine is a browser's, with a heap that it never gives back; when this process ends, its memory
is the system's again. It imports nothing of memophase, whose tables would take their room twice.

A request is a line of JSON: `{"version": …}` for the script of a page, with `spec` and `image` as
well to draw an SVG file, `{"image": …, "large": …}` to make the PNG file beside one. The answer is
a line of JSON, `{"done": …}` or `{"error": …}`.
"""

from __future__ import annotations

import base64
import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

import vl_convert

MAGNIFICATION = 2.0
"""Of the PNG files."""


def serve() -> None:
    """Answer the requests of the input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks is interrupted, and ends the input
    for line in sys.stdin:
        try:
            answer = {"done": answered(json.loads(line))}
        except Exception as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


def answered(request: dict[str, Any]) -> str:
    """The script of a page, the file of a drawn figure, or its image as an address for a page."""
    if "large" in request:
        return rasterized(Path(request["image"]), request["large"])
    version = request["version"]
    if "spec" not in request:
        code: str = vl_convert.javascript_bundle(  # pyright: ignore[reportCallIssue] - has a default
            vl_version=version
        )
        return code
    Path(request["image"]).write_text(svg(request["spec"], version), encoding="utf-8")
    return request["image"]


def svg(spec: dict[str, Any], version: str) -> str:
    """The figure as an SVG image; nothing is fetched from anywhere."""
    return _renumbered(vl_convert.vegalite_to_svg(spec, vl_version=version, allowed_base_urls=[]))


def _renumbered(image: str) -> str:
    """Clip paths counted from 1: the renderer counts them over all images of a process."""
    names = dict.fromkeys(re.findall(r"\bclip\d+\b", image))
    numbers = {name: f"clip{i}" for i, name in enumerate(names, start=1)}
    return re.sub(r"\bclip\d+\b", lambda match: numbers[match[0]], image)


def rasterized(file: Path, large: int) -> str:
    """An SVG file as an address for a page; writes the PNG file beside it."""
    image = file.read_text(encoding="utf-8")
    file.with_suffix(".png").write_bytes(vl_convert.svg_to_png(image, scale=MAGNIFICATION))
    return data_uri(image, large)


ARIA = re.compile(r' (?:aria-[a-z]+|role)="[^"]*"')
PLACES = re.compile(r'(?<= )(?:d|transform)="[^"]*"')
BEYOND = re.compile(r"(\.\d\d)\d+")


def lean(image: str) -> str:
    """The same picture for a page, which reads out its caption and nothing that is in it.

    Half of an image of many marks is their descriptions; a hundredth of a pixel is not seen.
    """
    return PLACES.sub(lambda found: BEYOND.sub(r"\1", found[0]), ARIA.sub("", image))


def data_uri(image: str, large: int) -> str:
    """An SVG image as an address that needs no file; of more than `large` bytes as a PNG."""
    media, data = "image/svg+xml", lean(image).encode()
    if len(data) > large:
        media, data = "image/png", vl_convert.svg_to_png(image, scale=1.0)
    return f"data:{media};base64,{base64.b64encode(data).decode()}"


if __name__ == "__main__":
    serve()
