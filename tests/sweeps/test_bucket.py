"""Results in a bucket of an S3-compatible server on this machine: `moto_server`, where it is there.

It is no dependency, since it asks for older packages than this one: `python -m venv moto`,
`moto/bin/pip install 'moto[server]'`, and its `bin` on the PATH.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from study.store.results import Results
from study.store.storage import Store
from study.training.run import run_pack
from sweeps.files import spec
from sweeps.search.search import Evidence
from sweeps.space.cells import Training
from tests.sweeps.tiny import TINY, in_process, memophase

SERVER = shutil.which("moto_server")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(SERVER is None, reason="no moto_server on the PATH"),
]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    words = [str(SERVER), "-H", "127.0.0.1", "-p", str(port)]
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "anyone",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(urllib.request.Request(f"{url}/lab", method="PUT"))
                break
            time.sleep(0.2)
        yield child
    finally:
        child.send_signal(signal.SIGCONT)
        child.kill()
        child.wait()


def contents(location: str | Path) -> dict[str, dict[str, str]]:
    """Training -> table (and checkpoint) -> checksum, without the clock's, all verified."""
    results, found = Results.open(location), {}
    for training in results.trainings():
        status = results.verified(training)
        assert status is not None
        found[training] = {n: e.sha256 for n, e in status.files.items() if n != "timing"}
    return found


def trainings(*options: str) -> Sequence[Training]:
    """Those of the tiny sweep."""
    return spec.loads(TINY, list(options)).search.known(Evidence(Results.open("nothing")))


def here(folder: Path, *options: str) -> dict[str, dict[str, str]]:
    """The tiny sweep on this machine's disk."""
    results = Results.open(folder)
    for training in trainings(*options):
        run_pack([training.config], results)
    return contents(folder)


@pytest.mark.ray
def test_a_sweep_in_a_bucket_is_that_on_a_disk(server, tmp_path: Path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    place = "s3://lab/tiny"
    done = in_process("run", "tiny.yaml", "--results", place, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert contents(place) == here(tmp_path / "here")
    assert "4 of 4 trainings done" in memophase("status", place).stdout
    again = in_process("run", "tiny.yaml", "--results", place, cwd=tmp_path)
    assert "nothing was left to train" in again.stdout
    reported = memophase("report", place, "--out", str(tmp_path / "report"))
    assert reported.exit_code == 0, reported.stderr
    assert (tmp_path / "report" / "index.html").exists()


def test_what_keeps_results_in_order_works_in_buckets(server, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    whole = here(tmp_path / "here")
    from sweeps.status import folder

    for place, seed in (("s3://lab/a", 0), ("s3://lab/b", 1)):
        results, sweep = Results.open(place), spec.loads(TINY)
        for training in folder.publish(sweep, Evidence(results)):
            if training.config.seed == seed:
                run_pack([training.config], results)
    joined = memophase("join", "s3://lab/a", "s3://lab/b", "--into", "s3://lab/c")
    assert joined.exit_code == 0, joined.stderr
    assert contents("s3://lab/c") == whole
    assert memophase("log", "s3://lab/c", "size=4", "--seed", "1").exit_code == 0
    smaller = ["tiny.yaml", "--results", "s3://lab/c", "--set", "seeds=1", "--yes"]
    assert "deleted; 2 stay" in memophase("prune", *smaller).stdout
    assert contents("s3://lab/c") == contents("s3://lab/a")
    looked = memophase("doctor", "--results", "s3://lab/c")
    assert looked.exit_code == 0, looked.stdout
    assert "storage: can be written and read" in looked.stdout


def test_a_server_that_is_gone_for_twenty_seconds_costs_twenty_seconds(server, tmp_path: Path):
    (first, *_) = trainings("training.steps=64")
    began, outages = time.monotonic(), []

    def report(step: int, _: object) -> None:
        if not outages:
            os.kill(server.pid, signal.SIGSTOP)
            timer = threading.Timer(20, os.kill, (server.pid, signal.SIGCONT))
            timer.start()
            outages.append(timer)

    (status,) = run_pack([first.config], Results.open("s3://lab/out"), report=report)
    outages[0].join()
    assert status.state == "finished"
    assert 20 < time.monotonic() - began < 90
    run_pack([first.config], Results.open(tmp_path))
    assert contents("s3://lab/out") == contents(tmp_path)


def test_a_bucket_that_is_not_there_is_told_in_a_line(server):
    for command in ("status", "log"):
        done = memophase(command, "s3://nowhere/x", *(["size=4"] if command == "log" else []))
        assert done.exit_code == 2
        assert len(done.stderr.splitlines()) == 1, done.stderr
    with pytest.raises(OSError, match=r"."):
        Store.open("s3://nowhere/x").publish("a", b"")
