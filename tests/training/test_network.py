"""Networks in training against one autograd graph of the textbook's equations, and against torch.nn."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from explorer import Experiment, run
from explorer.cells import CELLS
from explorer.training import Recipe
from explorer.training.network import READOUT, RecurrentNetwork, is_fused
from explorer.weights import draw_weights
from tests.training.textbook_loop import HOLDS, VARIANTS, hidden_states, small

CASES = [(name, "") for name in VARIANTS] + list(HOLDS.items())


def with_all_learning(recipe: Recipe) -> RecurrentNetwork:
    network = RecurrentNetwork(recipe)
    for tensor in network.tensors.values():
        tensor.requires_grad_()
    return network


def batch_of(recipe: Recipe) -> torch.Tensor:
    experiment = recipe.experiment
    shape = (experiment.num_steps, experiment.batch_size, recipe.task.input_size)
    x = np.random.default_rng(5).standard_normal(shape)
    return torch.tensor(x, dtype=getattr(torch, experiment.dtype))


def test_every_cell_is_among_the_variants() -> None:
    assert {cell["kind"] for cell in VARIANTS.values()} == set(CELLS)


@pytest.mark.parametrize(("name", "hold"), CASES)
def test_outputs_and_gradients_of_all_weights_agree_with_autograd(name: str, hold: str) -> None:
    recipe = small(VARIANTS[name], experiment={"initial_scale": 0.7, "hold": hold})
    network, x = with_all_learning(recipe), batch_of(recipe)
    leaves = {key: torch.tensor(array, requires_grad=True) for key, array in network.weights().items()}
    initial = {key: torch.tensor(array.T) for key, array in network.initial.items()}
    path = hidden_states(recipe.experiment, leaves, x, initial)
    expected = functional.linear(torch.stack(path[-4:]), *(leaves[key] for key in READOUT))
    weight = torch.tensor(np.random.default_rng(6).standard_normal(expected.shape))
    (expected * weight).sum().backward()

    found = network(x, 4)
    (found * weight).sum().backward()

    assert (found - expected).abs().max() < 1e-10
    cell = recipe.experiment.cell
    for key, leaf in leaves.items():
        grad, got = leaf.grad, network.tensors[key].grad
        assert got is not None
        if grad is None:
            grad = torch.zeros_like(leaf)  # the bias of a block that is not read
        if key == "weight_hh":
            size = recipe.experiment.hidden_size
            blocks = [cell.constrain(block.numpy()) for block in grad.split(size)]
            grad = torch.from_numpy(np.concatenate(blocks))
        assert (got - grad).abs().max() < 1e-10 * max(1.0, float(grad.abs().max())), key


@pytest.mark.parametrize("name", VARIANTS)
def test_states_are_those_of_a_run(name: str) -> None:
    recipe = small(VARIANTS[name], experiment={"initial_scale": 0.7})
    network, x = RecurrentNetwork(recipe), batch_of(recipe)
    weights = {key: array for key, array in network.weights().items() if key not in READOUT}
    trace = run(recipe.experiment, weights=weights, inputs=x.numpy())
    with torch.no_grad():
        found = network.hidden(x, recipe.experiment.num_steps).numpy()
    assert np.abs(found - trace.states["h"][1:]).max() < 1e-10


def test_first_weights_are_those_of_the_experiment() -> None:
    recipe = small({"kind": "lstm", "forget_bias": 2}, experiment={"dtype": "float32"})
    weights = RecurrentNetwork(recipe).weights()
    for name, array in draw_weights(recipe.experiment, recipe.task.input_size).items():
        np.testing.assert_array_equal(weights[name], array.astype(np.float32))
    limit = recipe.experiment.hidden_size**-0.5
    for name in READOUT:
        assert 0 < np.abs(weights[name]).max() < limit


def test_lstm_in_float32_is_torch_and_agrees_with_the_engine() -> None:
    recipe = small(VARIANTS["lstm"], experiment={"dtype": "float32", "initial_scale": 0.7})
    engine = small(VARIANTS["lstm"], experiment={"initial_scale": 0.7})
    assert is_fused(recipe.experiment)
    assert not is_fused(engine.experiment)
    found = []
    for each in (recipe, engine):
        network, x = RecurrentNetwork(each), batch_of(each)
        outputs = network(x, 3)
        outputs.square().sum().backward()
        grads = {key: tensor.grad.double() for key, tensor in network.tensors.items()}  # type: ignore[union-attr]
        found.append(grads | {"outputs": outputs.detach().double()})
    for key, value in found[1].items():
        assert (found[0][key] - value).abs().max() < 1e-5 * max(1.0, float(value.abs().max())), key


@pytest.mark.parametrize(
    ("cell", "module"),
    [("rnn", torch.nn.RNN), ("gru", torch.nn.GRU), ("lstm", torch.nn.LSTM)],
)
def test_same_weights_in_torch_nn_give_the_same_states(cell: str, module: type[torch.nn.Module]) -> None:
    recipe = small({"kind": cell})
    network, x = RecurrentNetwork(recipe), batch_of(recipe)
    peer = module(recipe.task.input_size, recipe.experiment.hidden_size, dtype=torch.float64)
    named = {f"{key}_l0": torch.tensor(a) for key, a in network.weights().items() if key not in READOUT}
    peer.load_state_dict(named)
    with torch.no_grad():
        assert (peer(x)[0] - network.hidden(x, len(x))).abs().max() < 1e-12


@pytest.mark.parametrize("kind", ["rnn", "lstm", "clockwork"])
def test_vanished_gradients_of_float32_are_zero_and_no_trap(kind: str) -> None:
    experiment = {"num_steps": 200, "weight_scale": 0.05, "dtype": "float32"}
    network = RecurrentNetwork(recipe := small({"kind": kind}, experiment=experiment))
    network(batch_of(recipe), 1).sum().backward()
    for tensor in network.tensors.values():
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()
        assert tensor.grad.abs().max() > 0


def test_states_beyond_all_floats_are_infinite() -> None:
    growing = {"weight_scale": 4, "num_steps": 1000, "initial_scale": 1}
    recipe = small({"kind": "rnn", "activation": "linear"}, experiment=growing)
    with torch.no_grad():
        assert not RecurrentNetwork(recipe)(batch_of(recipe), 1).isfinite().any()


def test_other_numbers_of_sequences_can_be_read() -> None:
    recipe = small(experiment={"initial_scale": 1.0})
    network, x = RecurrentNetwork(recipe), batch_of(recipe)
    with torch.no_grad():
        few, many = network(x[:, :2], 1), network(torch.cat([x, x], dim=1), 1)
        assert (few - network(x, 1)[:, :2]).abs().max() < 1e-14
    assert many.shape == (1, 10, recipe.task.output_size)


def test_antisymmetric_gradient_is_that_of_the_free_entries() -> None:
    recipe = small(VARIANTS["antisymmetric"])
    network, x = RecurrentNetwork(recipe), batch_of(recipe)
    network(x, 1).sum().backward()
    leaves = {key: torch.tensor(array) for key, array in network.weights().items()}
    free = torch.triu(leaves["weight_hh"], 1).requires_grad_()  # a_ij with i < j decide the whole matrix
    leaves["weight_hh"] = torch.triu(free, 1) - torch.triu(free, 1).T
    initial = {"h": torch.zeros(recipe.experiment.batch_size, recipe.experiment.hidden_size).double()}
    h = hidden_states(recipe.experiment, leaves, x, initial)[-1]
    functional.linear(h, *(leaves[key] for key in READOUT)).sum().backward()
    found = network.tensors["weight_hh"].grad
    assert found is not None and free.grad is not None
    assert (torch.triu(found, 1) - free.grad).abs().max() < 1e-12
    assert torch.equal(found, -found.T)


def test_nothing_global_is_touched() -> None:
    before = torch.get_rng_state().clone(), torch.get_num_threads(), np.random.get_state()[1].copy()  # noqa: NPY002
    for kind in ("lstm", "gru"):
        RecurrentNetwork(small({"kind": kind}, experiment={"dtype": "float32"}))
    after = torch.get_rng_state(), torch.get_num_threads(), np.random.get_state()[1]  # noqa: NPY002
    assert torch.equal(before[0], after[0])
    assert before[1] == after[1]
    np.testing.assert_array_equal(before[2], after[2])


def test_experiment_may_be_a_dict() -> None:
    recipe = Recipe(experiment={"cell": {"kind": "gru"}})
    assert recipe.experiment == Experiment(cell={"kind": "gru"})
