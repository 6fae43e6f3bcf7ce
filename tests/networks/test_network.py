"""Networks against torch's own modules, against an independent autograd loop, and against theory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explorer import Experiment, gradient_norms, run
from explorer.layouts import Layers
from explorer.networks import NetworkTrace, run_network
from explorer.networks.pieces import network_memory
from explorer.trace import TooLarge
from explorer.verify import verify

MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
LOSSES = {"last": {"kind": "last"}, "every": {"kind": "every"}, "step": {"kind": "step", "step": 4}}


def small(**settings: Any) -> Experiment:
    base: dict[str, Any] = {
        "cell": {"kind": "lstm", "forget_bias": 1},
        "signal": {"kind": "noise", "channels": 2},
        "hidden_size": 5,
        "num_steps": 11,
        "batch_size": 3,
        "seed": 7,
    }
    return Experiment(**base | settings)


def layers(**settings: Any) -> dict[str, Any]:
    return {"kind": "layers"} | settings


def total(trace: NetworkTrace, layer: int, direction: int) -> np.ndarray:
    """∂L/∂h of the steps 1 … T' in the order of the sequence, [T', B, H]."""
    own = trace.layers[layer][direction]
    found = np.ldexp(own.backward.totals["h"], own.backward.exponents[:, None])[1:]
    return np.moveaxis(found[::-1] if direction else found, 1, 2)


# ---- PyTorch's own modules ----


@pytest.mark.parametrize("kind", MODULES)
@pytest.mark.parametrize(("count", "both"), [(1, False), (3, False), (1, True), (2, True)])
def test_a_state_dict_loads_by_name_and_gives_torchs_outputs(kind: str, count: int, both: bool) -> None:
    torch.manual_seed(count)
    module = MODULES[kind](2, 5, num_layers=count, bidirectional=both).double()
    experiment = small(
        cell={"kind": kind}, network=layers(num_layers=count, direction="both" if both else "forward")
    )
    found = run_network(experiment, weights=module.state_dict())
    x = torch.tensor(found.inputs, requires_grad=True)
    output, _ = module(x)
    np.testing.assert_allclose(found.outputs[-1], output.detach().numpy(), atol=1e-12, rtol=0)
    v = np.concatenate([trace.readout for trace in found.layers[-1]])
    (output[-1] @ torch.tensor(v)).sum().backward()
    given = np.moveaxis(np.ldexp(found.to_input.values, found.to_input.exponents[:, None]), 1, 2)
    np.testing.assert_allclose(given, x.grad.numpy(), rtol=1e-10, atol=1e-14)


# ---- an independent implementation ----


def step(kind: str, w: dict[str, torch.Tensor], x: torch.Tensor, h: Any, c: Any) -> tuple[Any, Any]:
    """One step of a cell from its equations."""
    from_x = x @ w["weight_ih"].T + w["bias_ih"]
    from_h = h @ w["weight_hh"].T + w["bias_hh"]
    if kind == "rnn":
        return torch.tanh(from_x + from_h), c
    if kind == "lstm":
        i, f, g, o = (from_x + from_h).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c
    (r, z, n), (r_h, z_h, n_h) = from_x.chunk(3, 1), from_h.chunk(3, 1)
    z = torch.sigmoid(z + z_h)
    return (1 - z) * torch.tanh(n + torch.sigmoid(r + r_h) * n_h) + z * h, c


def by_hand(found: NetworkTrace) -> tuple[list[list[torch.Tensor]], torch.Tensor]:
    """∂L/∂h of all layers and directions [T', B, H], and ∂L/∂x, by one autograd graph of the network."""
    experiment, layout = found.experiment, found.experiment.network
    x = torch.tensor(found.inputs, requires_grad=True)
    below = x
    if found.front is not None:
        kernel, width = torch.tensor(found.front.kernel), found.front.kernel.shape[2]
        padded = torch.nn.functional.pad(x.permute(1, 2, 0), (width // 2, width - 1 - width // 2))
        features = torch.relu(torch.nn.functional.conv1d(padded, kernel, torch.tensor(found.front.bias)))
        pooled = torch.nn.functional.max_pool1d(features, found.front.pooling, ceil_mode=True)
        below = pooled.permute(2, 0, 1)
    states: list[list[list[torch.Tensor]]] = []
    for layer, row in enumerate(found.layers):
        outputs = []
        states.append([])
        for d, own in enumerate(row):
            w = {name: torch.tensor(array) for name, array in own.weights.items()}
            h = torch.zeros(experiment.batch_size, experiment.hidden_size, dtype=torch.float64)
            c, path = torch.zeros_like(h), []
            for x_t in reversed(list(below)) if d else list(below):
                h, c = step(experiment.cell.kind, w, x_t, h, c)
                h.retain_grad()
                path.append(h)
            path = path[::-1] if d else path
            states[-1].append(path)
            outputs.append(torch.stack(path))
        y = torch.cat(outputs, dim=2)
        if layout.dropout and layer < layout.num_layers - 1:
            kept = experiment.rng(f"layer{layer}/dropout").random(tuple(y.shape)) >= layout.dropout
            y = y * torch.tensor(kept / (1 - layout.dropout))
        below = y + below if layer and layout.skip == "residual" else y
    v = torch.tensor(np.concatenate([trace.readout for trace in found.layers[-1]]))
    weights = found.loss_weights[1:]
    if found.front is not None:
        windows = np.array_split(weights, range(found.front.pooling, len(weights), found.front.pooling))
        weights = np.array([part.max() for part in windows])
    (torch.tensor(weights)[:, None] * (below @ v)).sum().backward()
    nothing = torch.zeros(experiment.batch_size, experiment.hidden_size, dtype=torch.float64)
    grads = [
        [torch.stack([nothing if h.grad is None else h.grad for h in path]) for path in row] for row in states
    ]
    return grads, x.grad


NETWORKS = {
    "stacked": layers(num_layers=3),
    "bidirectional": layers(num_layers=1, direction="both"),
    "residual": layers(num_layers=3, skip="residual"),
    "everything": layers(num_layers=3, direction="both", skip="residual", dropout=0.4),
    "convolution": layers(num_layers=1, front="convolution", kernel=3, channels=4, pooling=2),
    "even kernel": layers(
        num_layers=2, direction="both", front="convolution", kernel=4, channels=3, pooling=3
    ),
    "no pooling": layers(num_layers=1, front="convolution", kernel=5, channels=2, pooling=1),
}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_total_gradients_equal_one_autograd_graph(network: str, loss: str, kind: str) -> None:
    found = run_network(small(cell={"kind": kind}, network=NETWORKS[network], loss=LOSSES[loss]))
    expected, to_input = by_hand(found)
    for k, row in enumerate(expected):
        for d, exact in enumerate(row):
            error = np.linalg.norm(total(found, k, d) - exact.numpy(), axis=2)
            assert (error <= 1e-10 * np.linalg.norm(exact.numpy(), axis=2)).all(), (k, d)
            assert exact.numpy().any()
    given = np.moveaxis(np.ldexp(found.to_input.values, found.to_input.exponents[:, None]), 1, 2)
    np.testing.assert_allclose(given, to_input.numpy(), rtol=1e-10, atol=1e-15)


# ---- what the methods promise ----


def test_one_cell_alone_is_a_network_of_one_layer() -> None:
    experiment = small()
    alone, network = run(experiment), run_network(experiment)
    assert (network.norms(0) == gradient_norms(alone)).all()
    assert (network.states(0) == alone.states["h"]).all()


def test_every_layer_and_direction_starts_at_a_state_of_its_own() -> None:
    experiment = small(initial_scale=1.0, network=layers(direction="both"))
    rows = run_network(experiment).layers
    starts = {trace.states[name][0].tobytes() for row in rows for trace in row for name in ("c", "h")}
    assert len(starts) == 8
    alone = run(experiment.alone())
    assert (rows[0][0].states["h"][0] == alone.states["h"][0]).all()


def test_a_layer_alone_is_neither_saved_nor_verified(tmp_path: Path) -> None:
    """Its settings and weights do not say what the layer above sends: they would give other gradients."""
    below = run_network(small(network=layers())).layers[0][0]
    with pytest.raises(ValueError, match="layer of a network"):
        below.save(tmp_path / "layer.npz")
    with pytest.raises(ValueError, match="layer of a network"):
        verify(below)


def test_run_names_the_function_for_networks() -> None:
    with pytest.raises(ValueError, match="run_network"):
        run(small(network=layers()))


def test_the_backward_half_is_in_the_order_of_the_sequence() -> None:
    """V-shape: the loss at step 4 leaves the forward half after it and the backward half before it."""
    network = layers(num_layers=1, direction="both")
    found = run_network(small(network=network, loss={"kind": "step", "step": 4}))
    forward, backward = found.norms(0, 0), found.norms(0, 1)
    assert (forward[5:] == -np.inf).all() and np.isfinite(forward[1:5]).all()
    assert (
        np.isnan(backward[0]).all() and (backward[1:4] == -np.inf).all() and np.isfinite(backward[4:]).all()
    )


def test_the_backward_half_at_the_last_step_has_seen_one_token() -> None:
    experiment = small(network=layers(num_layers=1, direction="both"))
    found = run_network(experiment)
    alone = run(
        experiment.changed("network", "single").changed("num_steps", 2),
        weights=found.layers[0][1].weights,
        inputs=found.inputs[[-1, -2]],
    )
    np.testing.assert_allclose(found.states(0, 1)[-1], alone.states["h"][1], atol=1e-14)


def test_stacked_linear_layers_rise_before_they_fall() -> None:
    """0.9 per step in each of 3 layers: C(k + 2, 2)·0.9^k, largest at lag 17 and 18: 28.5 (SCIENCE)."""
    experiment = small(
        cell={"kind": "rnn", "activation": "linear"},
        hidden_size=2,
        num_steps=40,
        batch_size=1,
        network=layers(num_layers=3),
    )
    eye, zero = np.eye(2), np.zeros(2)
    weights = {
        f"{name}_l{k}": value
        for k in range(3)
        for name, value in {
            "weight_ih": eye,
            "weight_hh": 0.9 * eye,
            "bias_ih": zero,
            "bias_hh": zero,
        }.items()
    }
    found = run_network(experiment, weights=weights, inputs=np.zeros((40, 1, 2)), readout=np.array([1.0, 0]))
    lag = np.arange(40)
    expected = np.log10((lag + 1) * (lag + 2) / 2 * 0.9**lag)
    np.testing.assert_allclose(found.norms(0)[:0:-1, 0], expected, atol=1e-12)
    assert 10 ** found.norms(0).max() == pytest.approx(28.5, abs=0.05)
    assert set(np.argsort(found.norms(0)[:0:-1, 0])[-2:]) == {17, 18}


def test_residual_connections_keep_what_depth_would_lose() -> None:
    """U = 0 and W = ½: one layer passes ½ down, with the residual connection 1.5; 8 layers: 0.5^7, 1.5^7."""
    for skip, factor in (("none", 0.5), ("residual", 1.5)):
        experiment = small(
            cell={"kind": "rnn", "activation": "linear"},
            hidden_size=2,
            network=layers(num_layers=8, skip=skip),
        )
        weights = {
            f"{name}_l{k}": value
            for k in range(8)
            for name, value in {"weight_ih": np.eye(2) / 2, "weight_hh": np.zeros((2, 2))}.items()
        }
        found = run_network(experiment, weights=weights)
        assert found.norms(0)[-1] == pytest.approx(7 * np.log10(factor), abs=1e-12)


def test_gradients_far_below_the_float_range_are_exact() -> None:
    """U = 10^-3, W = 1 in two linear layers: (k + 1)·10^-3k at lag k, down to 1e-897."""
    experiment = small(
        cell={"kind": "rnn", "activation": "linear"},
        hidden_size=2,
        num_steps=300,
        network=layers(num_layers=2, direction="forward"),
    )
    weights = {
        f"{name}_l{k}": value
        for k in range(2)
        for name, value in {"weight_ih": np.eye(2), "weight_hh": 1e-3 * np.eye(2)}.items()
    }
    found = run_network(experiment, weights=weights)
    lag = np.arange(300)[:, None]
    expected = np.broadcast_to(np.log10(lag + 1) - 3.0 * lag, (300, 3))
    np.testing.assert_allclose(found.norms(0)[:0:-1], expected, atol=1e-9)
    np.testing.assert_allclose(found.norms(1)[:0:-1], np.broadcast_to(-3.0 * lag, (300, 3)), atol=1e-9)
    np.testing.assert_allclose(found.input_norms()[::-1], expected, atol=1e-9)


def test_float32_layers_stay_close_to_float64() -> None:
    settings = small(network=layers(num_layers=2, direction="both"))
    single, double = run_network(settings.changed("dtype", "float32")), run_network(settings)
    assert single.layers[0][0].system.matrix.dtype == np.float32
    np.testing.assert_allclose(single.norms(0, 0), double.norms(0, 0), atol=1e-4)


def test_held_gates_keep_the_time_of_the_sequence_in_both_directions() -> None:
    held = small(network=layers(num_layers=1, direction="both"), hold="forget=0@3")
    for d, trace in enumerate(run_network(held).layers[0]):
        closed = (trace.gates["forget"] == 0).all(axis=(1, 2))
        assert np.flatnonzero(closed[::-1] if d else closed).tolist() == [2]


@pytest.mark.parametrize("pooling", [1, 2, 5, 16])
def test_all_arrays_are_on_the_inputs_steps_behind_a_convolution(pooling: int) -> None:
    network = layers(num_layers=2, direction="both", front="convolution", pooling=pooling)
    found = run_network(small(network=network))
    for k in range(2):
        for d in range(2):
            assert found.norms(k, d).shape == found.along(k, d).shape == (12, 3)
            assert found.states(k, d).shape == (12, 3, 5)
            assert found.below(k, d).shape == (11, 3)
    assert found.input_norms().shape == (11, 3)
    own = gradient_norms(found.layers[1][0])
    assert (found.norms(1, 0)[1:] == own[1 + np.arange(11) // pooling]).all()


def test_wrong_weights_are_named() -> None:
    experiment = small(network=layers(num_layers=2))
    good = torch.nn.LSTM(2, 5, num_layers=2).double().state_dict()
    with pytest.raises(ValueError, match=r"weight_ih_l2.*2 layers"):
        run_network(experiment, weights=dict(good) | {"weight_ih_l2": np.zeros((20, 5))})
    with pytest.raises(ValueError, match=r"'weight_ih_l1'\] has shape \(20, 6\)"):
        run_network(experiment, weights=dict(good) | {"weight_ih_l1": np.zeros((20, 6))})
    with pytest.raises(ValueError, match=r"'weight_hh_l1'\] is missing"):
        run_network(experiment, weights={name: a for name, a in good.items() if name != "weight_hh_l1"})
    with pytest.raises(ValueError, match="readout"):
        run_network(experiment, readout=np.zeros(4))


def test_a_network_too_large_is_refused_with_what_to_lower() -> None:
    experiment = Experiment(
        cell={"kind": "lstm"}, hidden_size=512, num_steps=200, batch_size=64, network=layers(num_layers=8)
    )
    with pytest.raises(TooLarge, match=r"8 cells.*layers"):
        run_network(experiment)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "settings",
    [
        {"network": layers(num_layers=3, direction="both", skip="residual", dropout=0.3)},
        {"network": layers(front="convolution", channels=32, pooling=8), "hidden_size": 2},
        {
            "network": layers(front="convolution"),
            "signal": {"kind": "text", "text": "".join(map(chr, range(500)))},
        },
    ],
    ids=["layers", "channels", "characters"],
)
def test_the_estimate_of_the_memory_is_what_is_taken(
    settings: dict[str, Any], dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = {"cell": {"kind": "rnn"}, "hidden_size": 32, "num_steps": 100, "batch_size": 16, "dtype": dtype}
    experiment = small(**base | settings)
    run_network(experiment.changed("num_steps", 2))  # what is loaded and kept once
    monkeypatch.setattr("explorer.pool._free", {})
    tracemalloc.start()
    run_network(experiment)
    _, taken = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(experiment.network, Layers)
    needed = network_memory(experiment, experiment.network, experiment.signal.input_size)
    assert 0.6 < taken / needed < 1.3


def test_dropout_of_states_beyond_the_float_range_is_said_and_no_warning() -> None:
    cell = {"kind": "lstm", "forget_activation": "linear", "forget_bias": 10, "cell_activation": "linear"}
    network = layers(dropout=0.5, skip="residual")
    found = run_network(small(cell=cell, num_steps=400, hidden_size=16, network=network))
    assert np.isinf(found.states(0)).any()
    assert any("State h is not a finite number" in note for note in found.notes)


def test_dropout_scales_what_it_keeps_and_spares_the_top() -> None:
    found = run_network(small(hidden_size=64, network=layers(num_layers=2, dropout=0.5)))
    h = found.states(0)[1:]
    kept = found.outputs[0] != 0
    assert 0.4 < kept.mean() < 0.6
    np.testing.assert_allclose(found.outputs[0][kept], 2 * h[kept], rtol=1e-14)
    assert (found.outputs[1] == found.states(1)[1:]).all()
