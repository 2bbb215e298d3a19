"""Sweeps through a real Ray: run, run again, change, kill, break."""

import contextlib
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from study.store.results import Results
from sweeps.files import spec
from tests.sweeps import processes
from tests.sweeps.tiny import ROOT, TINY, command, in_process

pytestmark = pytest.mark.ray

LONG = ["--set", "training.steps=4096", "--set", "measurement.per_octave=2"]
"""Long enough to be struck in the middle."""
STATUSES = "trainings/*/status.json"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweeps")
    (folder / "tiny.yaml").write_text(TINY)
    return folder


@pytest.fixture(scope="module")
def undisturbed(home: Path) -> Path:
    """The results of the long sweep, run in one go."""
    done = in_process("run", "tiny.yaml", *LONG, "--results", "undisturbed", cwd=home)
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "undisturbed"


def contents(results: Path) -> dict[str, dict[str, str]]:
    """Training -> table (and checkpoint) -> checksum, without the clock's."""
    opened = Results.open(results)
    found = {}
    for training in opened.trainings():
        status = opened.verified(training)
        assert status is not None
        found[training] = {
            name: entry.sha256 for name, entry in status.files.items() if name != "timing"
        }
    return found


def stamps(results: Path) -> dict[str, int]:
    """When each training's status was last written."""
    files = results.glob("trainings/*/status.json")
    return {file.parent.name: file.stat().st_mtime_ns for file in files}


def steps(results: Path) -> set[int]:
    return {status.step for _, status in Results.open(results).statuses()}  # type: ignore[union-attr]


def test_running_again_trains_only_what_is_new(home: Path):
    folder = home / "results" / "tiny"
    first = in_process("run", "tiny.yaml", cwd=home)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "tiny: 4 of 4 trainings done; results in results/tiny" in first.stdout
    assert first.stderr == ""
    assert len(stamps(folder)) == 4
    held = ["last-run.json", "runs", "sweep.json", "trainings"]
    assert sorted(path.name for path in folder.iterdir()) == held
    told = json.loads(in_process("status", str(folder), "--json", cwd=home).stdout)["last_run"]
    assert 0 < told["training"] < told["seconds"] * told["cores"]
    said = f"{told['share']:.0%} of the time of {told['cores']} cores went into training".replace(
        "%", " %"
    )
    assert said in first.stdout
    assert not list((folder / "runs").iterdir())
    before = stamps(folder)

    again = in_process("run", "tiny.yaml", cwd=home)
    assert again.returncode == 0
    assert "nothing was left to train" in again.stdout
    assert stamps(folder) == before

    (home / "edited.yaml").write_text(TINY.replace("[4, 8]", "[4, 8, 16]"))
    edited = in_process("run", "edited.yaml", "--set", "seeds=2", cwd=home)
    assert edited.returncode == 0
    after = stamps(folder)
    assert {name: after[name] for name in before} == before
    assert len(after) == 6
    planned = in_process("plan", "edited.yaml", "--no-time", "--json", cwd=home)
    assert json.loads(planned.stdout)["unfinished"] == 0

    longer = in_process("run", "tiny.yaml", "--set", "training.steps=64", cwd=home)
    assert longer.returncode == 0
    tiny = {t.hash for t in spec.load(str(home / "tiny.yaml")).trainings}
    ends = {t: status.step for t, status in Results.open(folder).statuses()}  # type: ignore[union-attr]
    assert {ends[t] for t in tiny} == {64}
    assert {end for t, end in ends.items() if t not in tiny} == {32}


def test_a_killed_run_goes_on_to_the_same_bytes(home: Path, undisturbed: Path):
    folder, log = home / "killed", home / "killed.log"
    arguments = ("run", "tiny.yaml", *LONG, "--results", "killed")
    with processes.started(*arguments, cwd=home, log=log) as child:
        processes.wait_for(lambda: list(folder.glob("trainings/*/status.json")))
        told = json.loads(in_process("status", "killed", "--json", cwd=home).stdout)
        assert (told["total"], told["runner"]["pid"]) == (4, child.pid)
        second = in_process(*arguments, cwd=home)
        assert second.returncode == 2
        assert f"is being run by process {child.pid} on" in second.stderr
        family = set(processes.descendants(child.pid))
        assert processes.workers(child.pid)
        idle = processes.agents(child.pid)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        processes.wait_for(lambda: not (family - idle) & set(processes.alive()), seconds=30)
    assert "event=completed" not in log.read_text(), "it was over before it was killed"
    assert 0 < len(stamps(folder)) <= 4

    resumed = in_process(*arguments, cwd=home)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert contents(folder) == contents(undisturbed)


@pytest.mark.long
def test_a_run_killed_at_random_moments_ends_with_the_same_bytes(home: Path, undisturbed: Path):
    moments = random.Random(0)
    folder, log = home / "hunted", home / "hunted.log"
    arguments = ("run", "tiny.yaml", *LONG, "--results", "hunted")
    killed = halfway = 0
    for turn in range(6):
        before = stamps(folder)
        with processes.started(*arguments, cwd=home, log=log) as child:
            if turn % 2:  # while something trains, however fast the machine is
                processes.wait_for(lambda b=before, c=child: stamps(folder) != b or c.poll() == 0)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(moments.uniform(0, 0.5) if turn % 2 else moments.uniform(1, 8))
            if child.poll() is None:
                os.kill(child.pid, signal.SIGKILL)
                child.wait()
                killed += 1
                halfway += any('"running"' in s.read_text() for s in folder.glob(STATUSES))
    assert killed >= 3
    assert halfway >= 1
    resumed = in_process(*arguments, cwd=home)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert contents(folder) == contents(undisturbed)


LOSS = re.compile("event=ray_(?:lost|not_started)")


def after_loss(said: str) -> str:
    """What a run said since it lost its Ray for the last time."""
    return LOSS.split(said)[-1]


def struck(
    name: str, home: Path, folder: str, moment: str = "event=measured", times: int = 1
) -> tuple[int, str]:
    """A run whose raylet or GCS is killed; its exit code and what it said."""
    log = home / f"{folder}.log"
    arguments = ("run", "tiny.yaml", *LONG, "--results", folder)
    with processes.started(*arguments, cwd=home, log=log) as child:
        for turn in range(times):
            processes.wait_for(
                lambda: moment in after_loss(log.read_text()) and processes.called(child.pid, name)
            )
            os.kill(processes.called(child.pid, name)[0], signal.SIGKILL)
            processes.wait_for(
                lambda t=turn: len(LOSS.findall(log.read_text())) > t or child.poll()
            )
        return child.wait(120), log.read_text()


def test_a_ray_that_dies_is_started_again_and_the_bytes_are_the_same(home: Path, undisturbed: Path):
    code, said = struck("raylet", home, "raylet")
    assert code == 0, said
    assert "its raylet (process" in said
    assert "event=completed" not in said.partition("event=ray_lost")[0], "it was over before"
    assert "Traceback" not in said
    assert contents(home / "raylet") == contents(undisturbed)


@pytest.mark.long
def test_a_ray_that_dies_while_it_starts_is_started_again(home: Path):
    code, said = struck("gcs_server", home, "start", moment="event=begin")
    assert code == 0, said
    assert said.count("event=ray_not_started") == 1
    assert "Traceback" not in said


@pytest.mark.long
def test_a_ray_that_dies_twice_ends_the_run_in_a_line_and_nothing_is_lost(
    home: Path, undisturbed: Path
):
    code, said = struck("gcs_server", home, "twice", times=2)
    assert code == 1, said
    assert all(line.startswith("time=") for line in said.splitlines()[:-1])
    last = said.splitlines()[-1]
    assert last.startswith("error: Ray was started again and was lost: its gcs_server (process")
    assert "go on: memophase run" in last
    assert stamps(home / "twice")
    resumed = in_process("run", "tiny.yaml", *LONG, "--results", "twice", cwd=home)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert contents(home / "twice") == contents(undisturbed)


CLIENT = """\
import sys, ray
ray.init(address=sys.argv[1], logging_level="ERROR", log_to_driver=False)
print("let in")
"""


def test_a_ray_of_our_own_lets_in_nobody_without_its_token(home: Path):
    """Whoever reaches its ports could run code; the one with the token shows that they answer."""
    log = home / "guarded.log"
    arguments = ("run", "tiny.yaml", *LONG, "--results", "guarded")
    with processes.started(*arguments, cwd=home, log=log) as child:
        processes.wait_for(lambda: "event=measured" in log.read_text())
        processes.wait_for(
            lambda: any(
                processes.command_line(worker).startswith("ray::memophase size=")
                for worker in processes.workers(child.pid)
            )
        )
        (raylet,) = processes.called(child.pid, "raylet")
        words = processes.command_line(raylet).split()
        (gcs,) = {w.partition("=")[2] for w in words if w.startswith("--gcs-address=")}
        given = Path(f"/proc/{raylet}/environ").read_text().split("\0")
        (token,) = {w.partition("=")[2] for w in given if w.startswith("RAY_AUTH_TOKEN=")}
        os.kill(child.pid, signal.SIGSTOP)  # packs end, and Ray does not, however long this takes

        clean = {name: x for name, x in os.environ.items() if not name.startswith("RAY_AUTH")}
        clean |= {"RAY_NUM_REDIS_GET_RETRIES": "1"}

        def client(**environment: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-c", CLIENT, gcs],
                env=clean | environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )

        assert client(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=token).stdout == "let in\n"
        for environment in (
            {"RAY_AUTH_MODE": "disabled"},
            {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64},
        ):
            refused = client(**environment)
            assert refused.returncode != 0
            assert refused.stdout == ""
            assert "InvalidAuthToken" in refused.stderr

        (home / "second.yaml").write_text(TINY.replace("name: tiny", "name: second"))
        second = subprocess.run(
            command("run", "second.yaml", "--address", gcs),
            cwd=home,
            env=clean | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 2, second.stdout + second.stderr
        (line,) = second.stderr.splitlines()
        assert line.startswith(f"error: --address: the Ray cluster at '{gcs}' refused the token")
        assert "RAY_AUTH_TOKEN_PATH" in line


SEAMED = (
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); from sweeps.running import tuner; "
    "tuner.SEAM = 1; from sweeps.cli import main; main()"
)
"""The command line with a turn of Ray Tune for every pack."""
ALONE = ("--set", "resources.members_per_pack=1")


def seamed(
    *options: str, home: Path, folder: str, moment: str = "", signal_: int = 0
) -> tuple[int, str]:
    """A run in many turns, struck when it says something; its exit code and what it said."""
    log = home / f"{folder}.log"
    with log.open("w") as sink:
        child = subprocess.Popen(
            [sys.executable, "-c", SEAMED, "run", "tiny.yaml", *options, "--results", folder],
            cwd=home,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        if moment:
            processes.wait_for(lambda: moment in log.read_text() or child.poll() is not None)
            os.kill(child.pid, signal_)
        return child.wait(120), log.read_text()
    finally:
        for pid in {child.pid, *processes.descendants(child.pid), *processes.in_session(child.pid)}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.long
@pytest.mark.parametrize("signal_", [0, signal.SIGINT, signal.SIGKILL])
def test_turns_of_ray_tune_train_everything_once_to_the_same_bytes(home: Path, signal_: int):
    """Struck, where it is, between two turns: a pack has ended and the next has not begun."""
    whole, folder = f"whole-{signal_:d}", f"turns-{signal_:d}"
    done = in_process("run", "tiny.yaml", *ALONE, "--results", whole, cwd=home)
    assert done.returncode == 0, done.stdout + done.stderr
    if signal_:
        struck = {"moment": "event=completed", "signal_": signal_}
        code, said = seamed(*ALONE, home=home, folder=folder, **struck)
        assert code == (-9 if signal_ == signal.SIGKILL else 1), said
        assert said.count("event=started") < 4, "it was over before"
    statuses = [status for _, status in Results.open(home / folder).statuses()]
    ended = sum(status.state == "finished" for status in statuses if status)  # type: ignore[union-attr]
    code, said = seamed(*ALONE, home=home, folder=folder)
    assert code == 0, said
    assert said.count("event=started") == said.count("event=completed") == 4 - ended
    assert contents(home / folder) == contents(home / whole)


@pytest.mark.long
def test_a_lost_worker_is_replaced_and_the_bytes_are_the_same(home: Path, undisturbed: Path):
    folder, log = home / "struck", home / "struck.log"
    arguments = ("run", "tiny.yaml", *LONG, "--results", "struck")
    with processes.started(*arguments, cwd=home, log=log) as child:
        processes.wait_for(lambda: list(folder.glob("trainings/*/status.json")))
        os.kill(processes.workers(child.pid)[0], signal.SIGKILL)
        assert child.wait(120) == 0, log.read_text()
    assert "attempt=2" in log.read_text()
    assert contents(folder) == contents(undisturbed)


@pytest.mark.long
def test_an_interrupted_run_says_how_to_go_on(home: Path):
    log = home / "interrupted.log"
    arguments = ("run", "tiny.yaml", *LONG, "--results", "interrupted")
    with processes.started(*arguments, cwd=home, log=log) as child:
        processes.wait_for(lambda: "event=measured" in log.read_text())
        os.killpg(child.pid, signal.SIGINT)
        assert child.wait(60) == 1
        processes.wait_for(lambda: not processes.in_session(child.pid), seconds=30)
    last = log.read_text().splitlines()[-1]
    assert last.startswith("interrupted; what was measured is kept. Run the same command again")
    assert shlex.split(last.partition("to go on: ")[2]) == ["memophase", *arguments]
    assert "Traceback" not in log.read_text()
    assert not list((home / "interrupted" / "runs").iterdir())


def test_one_training_that_fails_costs_no_other(home: Path):
    """A file lies where the training's folder would be: every write of it fails."""
    folder = home / "blocked"
    victim = spec.load(str(home / "tiny.yaml")).trainings[1].hash
    (folder / "trainings").mkdir(parents=True)
    (folder / "trainings" / victim).write_text("in the way")
    done = in_process("run", "tiny.yaml", "--results", "blocked", cwd=home)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "tiny: 3 of 4 trainings done" in done.stdout
    assert "attempt=3" in done.stdout
    damage, line = done.stderr.splitlines()
    assert f"size=4 seed 1 ({victim}) is damaged: " in damage
    assert line.startswith(f"error: size=4 seed 1 ({victim}) failed: ")
    log = Path(line.rpartition("; log: ")[2])
    assert "in run_pack" in log.read_text()
    assert "\x1b" not in log.read_text()
    told = json.loads(in_process("status", "blocked", "--json", cwd=home).stdout)
    assert (told["done"], told["damaged"]) == (3, 1)


@pytest.mark.long
def test_a_cluster_of_two_nodes_trains_and_survives_the_loss_of_one(home: Path, undisturbed: Path):
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        other = cluster.add_node(num_cpus=1)
        log = home / "cluster.log"
        arguments = ("run", "tiny.yaml", *LONG, "--results", "cluster")
        with processes.started(
            *arguments, "--address", cluster.address, cwd=home, log=log
        ) as child:
            processes.wait_for(lambda: log.read_text().count("event=measured") >= 2)
            cluster.remove_node(other, allow_graceful=False)
            assert child.wait(120) == 0, log.read_text()
        assert "attempt=2" in log.read_text()
        assert "event=retrying" in log.read_text()
        assert "state-dump" not in log.read_text()
        assert contents(home / "cluster") == contents(undisturbed)
    finally:
        with contextlib.suppress(Exception):
            cluster.shutdown()


SEARCHES = {
    "boundary": """\
grid:
  corpus.size: [2, 3, 4, 6, 8]
  network.width: [8, 16]
seeds: 3
search: {kind: boundary, level: 0.3, width: 0.5}
""",
    "optuna": """\
grid:
  corpus.size: [2, 3, 4, 6, 8]
  training.learning_rate: {loguniform: [0.001, 0.1]}
seeds: 2
search: {kind: optuna, objectives: {excess_copies: max}, num_samples: 8}
""",
}


@pytest.mark.long
@pytest.mark.parametrize("kind", SEARCHES)
def test_a_killed_search_goes_on_and_every_training_has_the_same_bytes(home: Path, kind: str):
    """What it asks for next may depend on which pack ended first, what a training gives not."""
    text = TINY.partition("grid:")[0].replace("name: tiny", f"name: {kind}") + SEARCHES[kind]
    (home / f"{kind}.yaml").write_text(text)
    whole, folder, log = home / f"{kind}-whole", home / f"{kind}-killed", home / f"{kind}.log"
    options = ("--set", "training.steps=512", "--set", "measurement.per_octave=2")
    done = in_process("run", f"{kind}.yaml", *options, "--results", str(whole), cwd=home)
    assert done.returncode == 0, done.stdout + done.stderr
    arguments = ("run", f"{kind}.yaml", *options, "--results", str(folder))
    for turn in range(2):
        with processes.started(*arguments, cwd=home, log=log) as child:
            processes.wait_for(lambda: "event=measured" in log.read_text())
            victim = child.pid if turn else processes.workers(child.pid)[0]
            os.kill(victim, signal.SIGKILL)
            if turn:
                child.wait()
            else:
                assert child.wait(180) == 0, log.read_text()
                assert "attempt=2" in log.read_text()
        if not turn:
            before = contents(folder)
            for name in sorted(before)[::2]:  # a good part is lost, and the list of what there was
                shutil.rmtree(folder / "trainings" / name)
            (folder / "sweep.json").unlink()
    resumed = in_process(*arguments, cwd=home)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    found, expected = contents(folder), contents(whole)
    listed = [t["hash"] for t in json.loads((folder / "sweep.json").read_text())["trainings"]]
    assert sorted(listed) == sorted(found)
    both = set(found) & set(expected)
    assert len(both) >= 4
    assert all(found[name] == expected[name] for name in both)
    assert all(found[name] == before[name] for name in set(found) & set(before))
