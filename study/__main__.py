"""`python -m study CONFIG.json --out DIR`: one training, without Ray or a sweep."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from study.config import ConfigError, TrialConfig
from study.corpus.pool import Pool
from study.corpus.pools import pool_of, ready
from study.store.results import FOLDER, Results
from study.store.storage import NoLocation


def main(arguments: list[str] | None = None) -> int:
    """Train one configuration; 0 when it finished, 1 when it diverged, 2 for unusable input."""
    parser = argparse.ArgumentParser(
        prog="python -m study",
        description="Train and measure one configuration, or go on with it where it stopped.",
    )
    parser.add_argument("config", type=Path, help="JSON file with the fields of a TrialConfig")
    parser.add_argument("--out", required=True, help=f"results folder; goes to OUT/{FOLDER}/HASH")
    parser.add_argument("--device", default="cpu", help="torch device (default: cpu)")
    parser.add_argument("--threads", type=int, default=1, help="torch threads (default: 1)")
    options = parser.parse_args(arguments)
    try:
        document = json.loads(options.config.read_text())
        config = TrialConfig.from_dict(ready(document, beside=options.config.parent))
    except OSError as error:
        return _refuse(f"{options.config}: cannot be read: {error.strerror or error}")
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        return _refuse(f"{options.config}: cannot be read as JSON: {error}")
    except ConfigError as error:
        return _refuse(*(f"{options.config}: {line}" for line in error.lines))
    return _train(config, pool_of(document, beside=options.config.parent), options)


def _train(config: TrialConfig, pool: Pool | None, options: argparse.Namespace) -> int:
    from study.training.run import run_pack

    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    folder = f"{options.out}/{FOLDER}/{config.hash}"

    def report(step: int, parameters: dict[str, dict]) -> None:
        measured = parameters[config.hash]
        numbers = {k: x for k, x in measured.items() if isinstance(x, float)}
        print(f"step={step}", *(f"{name}={x:.4g}" for name, x in numbers.items()), flush=True)

    try:
        results = Results.open(options.out)
        if pool is not None:
            results.hold(pool)
        (status,) = run_pack(
            [config],
            results,
            device=options.device,
            threads=options.threads,
            report=report,
        )
    except ConfigError as error:
        return _refuse(*(f"{folder}: {line}" for line in error.lines))
    except (OSError, NoLocation) as error:
        return _refuse(f"{folder}: {error}")
    print(f"{status.state} at step {status.step}: {folder}")
    return 0 if status.state == "finished" else 1


def _refuse(*lines: str) -> int:
    print(*(f"error: {line}" for line in lines), sep="\n", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
