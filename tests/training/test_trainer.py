"""Training runs against bare PyTorch loops, and what they record against autograd."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from explorer.tasks import Task
from explorer.training import Recipe, Trainer, Training
from explorer.training.divergence import divergence_sentence
from explorer.training.network import READOUT
from explorer.training.recording import Probe, loss_gradient
from tests.training.textbook_loop import explosive, hidden_states, small

MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop}
TASKS: list[dict[str, Any]] = [
    {"kind": "latch"},
    {"kind": "adding"},
    {"kind": "order"},
    {"kind": "copy", "length": 4},
    {"kind": "digits"},
]


def trained(recipe: Recipe, steps: int | None = None) -> Trainer:
    trainer = Trainer(recipe)
    trainer.advance(recipe.steps if steps is None else steps)
    return trainer


def same(a: Training, b: Training) -> None:
    """Every number of two runs, bit by bit."""
    assert (a.step, a.diverged) == (b.step, b.diverged)
    for name in ("loss", "score", "norm_before", "norm_after", "recorded", "decades", "gates", "eigenvalues"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    np.testing.assert_array_equal(a.held_out_score, b.held_out_score)
    for one, other in zip(a.moments, b.moments, strict=True):
        for group in ("weights", "optimizer"):
            left, right = getattr(one.snapshot, group), getattr(other.snapshot, group)
            assert left.keys() == right.keys()
            for key in left:
                np.testing.assert_array_equal(left[key], right[key], err_msg=key)


def bare_loop(recipe: Recipe, weights: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """The same run with torch.nn, its optimisers and its clipping, and nothing of ours but the batches."""
    experiment, task = recipe.experiment, recipe.task
    module = MODULES[experiment.cell.kind](task.input_size, experiment.hidden_size, dtype=torch.float64)
    readout = torch.nn.Linear(experiment.hidden_size, task.output_size, dtype=torch.float64)
    module.load_state_dict({f"{k}_l0": torch.tensor(a) for k, a in weights.items() if k not in READOUT})
    readout.load_state_dict({k.split(".")[1]: torch.tensor(weights[k]) for k in READOUT})
    every = [*module.parameters(), *readout.parameters()]
    optimizer = OPTIMIZERS[recipe.optimizer](every, lr=recipe.learning_rate)
    found: dict[str, list[float]] = {"loss": [], "norm_before": [], "norm_after": []}
    for k in range(recipe.steps):
        batch = task.batch(experiment.rng(f"batch/{k}"), experiment.num_steps, experiment.batch_size)
        hidden, _ = module(torch.tensor(batch.inputs))
        outputs, targets = readout(hidden[-len(batch.targets) :]), torch.tensor(batch.targets)
        if task.output == "number":
            loss = functional.mse_loss(outputs[..., 0], targets)
        else:
            loss = functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        found["loss"].append(loss.item())
        found["norm_before"].append(norm_of(every))
        if recipe.clip == "norm":
            torch.nn.utils.clip_grad_norm_(every, recipe.clip_at)
        elif recipe.clip == "value":
            torch.nn.utils.clip_grad_value_(every, recipe.clip_at)
        found["norm_after"].append(norm_of(every))
        optimizer.step()
    return found


def norm_of(weights: list[torch.nn.Parameter]) -> float:
    return float(torch.cat([weight.grad.flatten() for weight in weights]).norm())  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("cell", "settings"),
    [
        ("rnn", {}),
        ("rnn", {"optimizer": "sgd", "learning_rate": 0.3, "clip": "norm", "clip_at": 0.2}),
        ("lstm", {"optimizer": "rmsprop", "clip": "value", "clip_at": 0.01}),
        ("gru", {"task": {"kind": "adding"}, "clip": "norm", "clip_at": 0.5}),
        ("gru", {"task": {"kind": "copy", "length": 4}}),
    ],
)
def test_a_run_is_that_of_a_bare_loop(cell: str, settings: dict[str, Any]) -> None:
    recipe = small({"kind": cell}, **settings)
    training = trained(recipe).training
    for name, values in bare_loop(recipe, training.weights(0)).items():
        np.testing.assert_allclose(getattr(training, name), values, rtol=1e-7, err_msg=name)


def test_clipping_shortens_to_the_limit_and_leaves_small_gradients_alone() -> None:
    training = trained(small(clip="norm", clip_at=0.3)).training
    before, after = training.norm_before, training.norm_after
    assert (before > 0.3).any() and (before < 0.3).any()
    np.testing.assert_allclose(after, np.minimum(before, 0.3), rtol=1e-5)
    plain = trained(small()).training
    np.testing.assert_array_equal(plain.norm_before, plain.norm_after)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["kind"])
def test_every_task_is_trained_and_recorded(task: dict[str, Any]) -> None:
    recipe = small({"kind": "lstm"}, task=task, steps=5, experiment={"dtype": "float32"})
    training = trained(recipe).training
    assert training.finished and not training.diverged
    assert training.loss.shape == training.score.shape == (5,)
    assert np.isfinite(training.loss).all() and np.isfinite(training.score).all()
    np.testing.assert_array_equal(training.recorded, recipe.moments)
    count = len(training.recorded)
    assert training.decades.shape == (count, 13)
    assert training.gates.shape == (count, 4, 12)
    assert training.eigenvalues.shape == (count, 4, 6)
    assert training.eigenvalues.dtype == np.complex64
    assert np.isfinite(training.held_out_score).all() == (task["kind"] == "digits")


def test_held_out_score_is_that_of_the_test_part() -> None:
    recipe = small({"kind": "gru"}, task={"kind": "digits"}, steps=3)
    trainer = trained(recipe)
    batch = recipe.task.held_out(12, 10_000)
    assert batch is not None
    with torch.no_grad():
        outputs = trainer.network(torch.tensor(batch.inputs), 1)[0]
    right = float((outputs.argmax(dim=1).numpy() == batch.targets[0]).mean())
    assert trainer.training.held_out_score[-1] == pytest.approx(right, abs=1e-12)


@pytest.mark.parametrize("task", TASKS[:4], ids=lambda task: task["kind"])
def test_recorded_gradients_gates_and_eigenvalues_are_those_of_autograd(task: dict[str, Any]) -> None:
    recipe = small({"kind": "gru"}, task=task, steps=7)
    training = trained(recipe).training
    weights = training.weights(-1)
    batch = Probe(recipe).batch
    leaves = {key: torch.tensor(array) for key, array in weights.items()}
    x = torch.tensor(batch.inputs)
    initial = torch.zeros(x.shape[1], 6, dtype=torch.float64, requires_grad=True)
    path = hidden_states(recipe.experiment, leaves, x, {"h": initial})
    outputs = functional.linear(torch.stack(path[-len(batch.targets) :]), *(leaves[key] for key in READOUT))
    targets = torch.tensor(batch.targets)
    if recipe.task.output == "number":
        losses = (outputs[..., 0] - targets).square().mean(dim=0)
    else:
        losses = functional.cross_entropy(outputs.permute(1, 2, 0), targets.T, reduction="none").mean(dim=1)
    norms = [grad.norm(dim=1) for grad in torch.autograd.grad(losses.sum(), path)]
    expected = [float(np.median(np.log10(norm.numpy()))) for norm in norms]
    np.testing.assert_allclose(training.decades[-1], expected, atol=1e-9)

    pairs = {"reset": slice(0, 6), "update": slice(6, 12)}
    for k, rows in enumerate(pairs.values()):
        given = x @ leaves["weight_ih"][rows].T + leaves["bias_ih"][rows] + leaves["bias_hh"][rows]
        gate = torch.sigmoid(given + torch.stack(path[:-1]) @ leaves["weight_hh"][rows].T)
        np.testing.assert_allclose(training.gates[-1, k], gate.mean(dim=(1, 2)).detach().numpy(), atol=1e-12)
    for k, values in enumerate(training.eigenvalues[-1]):
        block = weights["weight_hh"][6 * k : 6 * k + 6]
        exact = np.linalg.eigvals(block)
        apart = np.abs(np.sort_complex(values.astype(complex)) - np.sort_complex(exact))
        assert apart.max() < 1e-5


@pytest.mark.parametrize("task", TASKS[:4], ids=lambda task: task["kind"])
def test_gradient_of_the_loss_is_that_of_autograd(task: dict[str, Any]) -> None:
    chosen: Task = small(task=task).task
    outputs = torch.tensor(np.random.default_rng(1).standard_normal((3, 4, chosen.output_size)))
    outputs.requires_grad_()
    rng = np.random.default_rng(2)
    if chosen.output == "number":
        targets = rng.standard_normal((3, 4))
        loss = (outputs[..., 0] - torch.tensor(targets)).square().mean(dim=0).sum()
    else:
        targets = rng.integers(chosen.output_size, size=(3, 4))
        each = functional.cross_entropy(outputs.permute(1, 2, 0), torch.tensor(targets.T), reduction="none")
        loss = each.mean(dim=1).sum()
    (expected,) = torch.autograd.grad(loss, outputs)
    found = loss_gradient(chosen, outputs.detach().numpy(), targets)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-15)


def test_gradient_of_a_sure_network_keeps_its_digits() -> None:
    task = small().task
    outputs = np.zeros((1, 1, task.output_size))
    outputs[0, 0, 0] = 200.0  # softmax − 1 is exactly 0 in float64 from 37 on
    others = task.output_size - 1
    found = loss_gradient(task, outputs, np.zeros((1, 1), np.int64))
    assert found[0, 0, 0] == pytest.approx(-others * np.exp(-200.0), rel=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("cell", ["lstm", "peephole"])
def test_a_rewound_run_repeats_itself_bit_by_bit(optimizer: str, cell: str) -> None:
    recipe = small({"kind": cell}, optimizer=optimizer, experiment={"dtype": "float32"}, steps=24)
    straight = trained(recipe).training
    trainer = trained(recipe, 17)
    for back in (int(trainer.training.recorded[-2]), 0):
        trainer.rewind(back)
        assert trainer.training.step == back
        trainer.advance(17)
    trainer.advance(1000)
    same(trainer.training, straight)


def test_the_pace_of_advancing_does_not_matter() -> None:
    recipe = small(steps=21)
    trainer = Trainer(recipe)
    for count in (1, 0, 7, 3, 50):
        trainer.advance(count)
    same(trainer.training, trained(recipe).training)


def test_only_recorded_steps_can_be_gone_back_to() -> None:
    recipe = small(steps=100)
    first, second = recipe.moments[1:3].tolist()
    trainer = trained(recipe, second - 1)
    with pytest.raises(ValueError, match=f"step {first + 1} is not recorded; recorded are 0, {first}$"):
        trainer.rewind(first + 1)
    with pytest.raises(ValueError, match=f"step {second} is not recorded"):
        trainer.rewind(second)


def test_divergence_is_said_and_keeps_what_was() -> None:
    recipe = explosive()
    trainer, peer = Trainer(recipe), Trainer(small())
    trainer.advance(20)
    peer.advance(20)
    training = trainer.training
    assert training.finished and 0 < training.step < 20
    assert f"stopped at step {training.step + 1}: " in training.diverged
    assert "learning rate is 0.2" in training.diverged
    worst = int(training.norm_before.argmax())
    assert f"{training.norm_before[worst]:.1e} at step {worst + 1}" in training.diverged
    for curve in (training.loss, training.norm_before, training.score):
        assert len(curve) == training.step and np.isfinite(curve).all()
    assert training.recorded[-1] == training.step
    assert all(np.isfinite(array).all() for array in training.weights(-1).values())
    assert peer.training.step == 20 and not peer.training.diverged

    step = training.step
    trainer.advance(5)
    assert training.step == step
    trainer.rewind(0)
    assert not training.diverged
    trainer.advance(20)
    same(training, trained(recipe, 20).training)


def test_divergence_names_the_largest_gradient_and_the_usual_one() -> None:
    training = Training(small({"kind": "lstm"}, clip="norm", clip_at=2))
    for norm in (0.5, 0.5, 40.0, 0.5):
        training.append(loss=1, score=0, norm_before=norm, norm_after=min(norm, 2))
    said = divergence_sentence(training, "the gradient's norm", float("inf"))
    assert said == (
        "Training stopped at step 5: the gradient's norm is infinite. Before, the gradient's norm had "
        "reached 4.0e+01 at step 3, 80 times the usual 5.0e-01; it was clipped to the norm 2, and the "
        "learning rate is 0.01."
    )


def test_a_network_that_overflows_at_once_says_so() -> None:
    growing = {"weight_scale": 4, "num_steps": 1000, "dtype": "float32"}
    recipe = small({"kind": "rnn", "activation": "linear"}, experiment=growing)
    training = trained(recipe).training
    assert training.step == 0 and training.recorded.tolist() == [0]
    assert "step 1: the loss is" in training.diverged
    assert "Nothing was trained yet" in training.diverged
    assert "Nothing bounds the states" in training.diverged


def test_the_reservoir_of_an_echo_state_network_does_not_learn() -> None:
    recipe = small({"kind": "echo"})
    assert not recipe.trains_cell
    training = trained(recipe).training
    for name, array in training.weights(-1).items():
        moved = bool((array != training.weights(0)[name]).any())
        assert moved == (name in READOUT), name


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_structure_of_a_cell_outlives_training(optimizer: str) -> None:
    settings: dict[str, Any] = {"optimizer": optimizer, "experiment": {"dtype": "float32"}}
    weights = trained(small({"kind": "antisymmetric"}, **settings)).training.weights(-1)["weight_hh"]
    np.testing.assert_array_equal(weights, -weights.T)
    training = trained(small({"kind": "clockwork", "periods": "1, 3"}, **settings)).training
    first, last = training.weights(0)["weight_hh"], training.weights(-1)["weight_hh"]
    assert (last[3:, :3] == 0).all()
    assert (last[:3] != first[:3]).all()


def test_nothing_global_is_touched_by_training() -> None:
    before = torch.get_rng_state().clone(), torch.get_num_threads(), np.random.get_state()[1].copy()  # noqa: NPY002
    trained(small({"kind": "lstm"}, experiment={"dtype": "float32"}), 3)
    assert torch.equal(before[0], torch.get_rng_state())
    assert torch.get_num_threads() == before[1]
    np.testing.assert_array_equal(before[2], np.random.get_state()[1])  # noqa: NPY002
