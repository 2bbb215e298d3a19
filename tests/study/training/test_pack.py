from __future__ import annotations

import io
import os
import pickle

import pytest
import torch

from study.kernels.threads import on_threads
from study.training.checkpoints import read_checkpoint
from study.training.member import Member
from study.training.pack import BLOCK, Batches, PackTrainer
from tests.study.small import small

CPU = torch.device("cpu")


def trainer(*configs) -> PackTrainer:
    return PackTrainer([Member(config) for config in configs], CPU)


def weights(pack: PackTrainer, member: int = 0) -> bytes:
    return pack.layout.rows(pack.network.flat)[member].numpy().tobytes()


def test_batches_are_a_function_of_the_step_alone():
    config = small(training__noisings=3)
    pack = trainer(config)
    forward = Batches(pack._streams)
    steps = [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 5]
    seen = [forward[step] for step in steps]
    backward = Batches(pack._streams)
    for step, batch in reversed(list(zip(steps, seen, strict=True))):
        again = backward[step]
        assert torch.equal(batch.x_t, again.x_t)
        assert torch.equal(batch.t, again.t)


def test_batches_hold_training_strings_at_all_noise_levels():
    config = small(training__noisings=3)
    pack = trainer(config)
    strings = {tuple(row) for row in pack._streams[0]._strings.tolist()}
    batches = [Batches(pack._streams)[k] for k in range(40)]
    seen = {tuple(row) for b in batches for row in b.x_0[0].tolist()}
    steps = torch.cat([b.t.flatten() for b in batches])
    assert seen == strings
    assert (steps.min(), steps.max()) == (1, config.diffusion.num_timesteps)
    repeated = batches[0].x_0[0].view(config.training.batch_size, 3, -1)
    assert (repeated == repeated[:, :1]).all()


def test_training_learns():
    """The loss per leaf falls well below that of the best guess that ignores x_t's context."""
    pack = trainer(small(seed=1, network__width=32))
    pack.train(64)
    early = pack.batch_losses()[0]
    pack.train(1500)
    pack.batch_losses()
    pack.train(1700)
    assert pack.batch_losses()[0] < 0.85 * early


@pytest.mark.parametrize("width", [8, 24, 64])
@pytest.mark.parametrize("members", [2, 8])
@pytest.mark.parametrize("batch", [8, 7])
def test_a_training_is_bit_identical_in_any_company(width, members, batch):
    configs = [
        small(seed=s, network__width=width, corpus__size=20 + s, training__batch_size=batch)
        for s in range(members)
    ]
    assert len({config.pack_key for config in configs}) == 1
    pack = trainer(*configs)
    pack.train(70)
    for k in (0, members - 1):
        alone = trainer(configs[k])
        alone.train(70)
        assert weights(alone) == weights(pack, k)


@pytest.mark.parametrize("change", [{"network__width": 12}, {"training__batch_size": 1}])
def test_trainings_whose_bits_depend_on_company_are_never_packed(change):
    one, other = (small(seed=s, **change) for s in range(2))
    assert one.pack_key != other.pack_key


def test_the_length_of_a_training_does_not_decide_its_pack():
    one, longer = (small(network__width=12, training__steps=steps) for steps in (32, 64))
    assert one.pack_key == longer.pack_key


@pytest.mark.parametrize(("width", "members"), [(7, 1), (16, 1), (64, 1), (16, 4), (64, 4)])
@pytest.mark.parametrize("batch", [8, 10])
def test_threads_do_not_change_bits(width, members, batch):
    configs = [
        small(seed=s, network__width=width, training__batch_size=batch) for s in range(members)
    ]
    trained = []
    for threads in (2, 1):
        pack = trainer(*configs)
        with on_threads(pack.threads(threads)):
            pack.train(20)
        trained.append(weights(pack, members - 1))
    assert trained[0] == trained[1]


@pytest.mark.parametrize("stop", [1, BLOCK - 1, BLOCK + 3])
def test_resumed_training_equals_undisturbed_training(stop):
    config = small()
    undisturbed = trainer(config)
    undisturbed.train(2 * BLOCK)
    stopped = trainer(config)
    stopped.train(stop)
    resumed = trainer(config)
    resumed.resume([stopped.checkpoint(0)])
    resumed.train(2 * BLOCK)
    assert weights(resumed) == weights(undisturbed)


def test_a_member_goes_on_undisturbed_when_its_companions_leave():
    configs = [small(seed=s) for s in range(3)]
    pack = trainer(*configs)
    pack.train(10)
    pack.select([1])
    pack.train(80)
    alone = trainer(configs[1])
    alone.train(80)
    assert weights(pack) == weights(alone)


def test_checkpoints_of_different_steps_or_shapes_are_refused():
    one, other = trainer(small()), trainer(small())
    one.train(1)
    pack = trainer(small(), small(seed=1))
    with pytest.raises(ValueError, match="one step"):
        pack.resume([one.checkpoint(0), other.checkpoint(0)])
    with pytest.raises(ValueError, match="another network shape"):
        trainer(small(network__width=70)).resume([one.checkpoint(0)])


def test_reading_a_checkpoint_runs_nothing():
    class Bomb:
        def __reduce__(self):
            return (os.abort, ())

    sink = io.BytesIO()
    torch.save({"step": Bomb()}, sink)
    with pytest.raises(pickle.UnpicklingError, match="weights_only"):
        read_checkpoint(sink.getvalue())


def test_a_trainer_leaves_the_threads_of_the_process_alone():
    with on_threads(2):
        pack = trainer(small())
        pack.train(1)
        pack.resume([pack.checkpoint(0)])
        assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("width", "members", "batch", "threads"),
    [(8, 1, 8, 4), (8, 1, 10, 1), (7, 1, 8, 1), (8, 2, 10, 4)],
)
def test_several_threads_only_where_no_bit_changes(width, members, batch, threads):
    changes = {"network__width": width, "training__batch_size": batch}
    pack = trainer(*(small(seed=s, **changes) for s in range(members)))
    assert pack.threads(4) == threads
    assert pack.threads(1) == 1


def test_a_member_goes_with_all_that_is_its_own():
    members = [Member(small(seed=s, corpus__size=20 + s)) for s in range(3)]
    pack = PackTrainer(members, CPU)
    pack.train(3)
    pack.select([2, 0])
    assert pack.members == [members[2], members[0]]
    strings = [{tuple(row) for row in member.strings.tolist()} for member in pack.members]
    for k, own in enumerate(strings):
        drawn = {tuple(row) for row in pack._batches[3].x_0[k].tolist()}
        assert drawn <= own
