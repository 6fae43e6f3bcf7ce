"""Weights: torch's names, shapes and ranges, common random numbers, and errors that help."""

import numpy as np
import pytest
import torch

from explorer.cells import CELLS, Cell
from explorer.experiment import Experiment
from explorer.initializers import INITIALIZERS
from explorer.trace import run
from explorer.weights import NAMES, check_weights, draw_weights, slot_matrices

TORCH = {"rnn": torch.nn.RNNCell, "lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}
GATES = {
    "rnn": ["bias"],
    "lstm": ["input_bias", "forget_bias", "candidate_bias", "output_bias"],
    "gru": ["reset_bias", "update_bias", "candidate_bias"],
}
SMALL = Experiment(hidden_size=5, num_steps=4, batch_size=2, signal={"kind": "noise", "channels": 3})


def with_cell(kind: str, **fields: object) -> Experiment:
    return SMALL.changed("cell", {"kind": kind, **fields})


@pytest.mark.parametrize("kind", TORCH)
def test_names_and_shapes_are_torchs(kind):
    state_dict = TORCH[kind](3, 5).state_dict()
    weights = draw_weights(with_cell(kind))
    assert {name: array.shape for name, array in weights.items()} == {
        name: tuple(tensor.shape) for name, tensor in state_dict.items()
    }
    assert set(NAMES) == set(state_dict)


@pytest.mark.parametrize(
    "kind", [kind for kind, (_, cell) in CELLS.items() if cell.constrain is Cell.constrain]
)
def test_default_ranges_are_torchs(kind):
    experiment = with_cell(kind).changed("hidden_size", 64)
    for name, array in draw_weights(experiment).items():
        assert np.abs(array).max() <= 1 / 8, name
        assert array.std() == pytest.approx(1 / 8 / np.sqrt(3), rel=0.25), name
        assert len(np.unique(array)) == array.size, name


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_each_scale_moves_one_array_only(kind, initializer):
    base = with_cell(kind).changed("initializer", initializer)
    before = draw_weights(base)
    for field, touched in {
        "weight_scale": {"weight_hh"},
        "input_scale": {"weight_ih"},
        "bias_scale": {"bias_ih", "bias_hh"},
    }.items():
        after = draw_weights(base.changed(field, 2.5))
        for name, array in after.items():
            assert np.allclose(array, (2.5 if name in touched else 1) * before[name], rtol=1e-15), (
                field,
                name,
            )


@pytest.mark.parametrize("kind", CELLS)
def test_settings_that_are_not_of_the_weights_leave_them(kind):
    before = draw_weights(with_cell(kind))
    other = with_cell(kind).changed("num_steps", 9).changed("batch_size", 7).changed("loss", "every")
    for name, array in draw_weights(other.changed("signal.amplitude", 3)).items():
        assert np.array_equal(array, before[name])


def test_a_seed_is_another_network():
    assert not np.array_equal(
        draw_weights(SMALL)["weight_hh"], draw_weights(SMALL.changed("seed", 1))["weight_hh"]
    )


@pytest.mark.parametrize("kind", GATES)
def test_bias_fields_shift_their_own_block_of_one_bias(kind):
    plain = draw_weights(with_cell(kind))
    for block, field in enumerate(GATES[kind]):
        shifted = draw_weights(with_cell(kind, **{field: 3.0}))
        shift = (shifted["bias_ih"] - plain["bias_ih"]).reshape(-1, 5)
        expected = np.zeros_like(shift)
        expected[block] = 3
        assert shift == pytest.approx(expected, abs=1e-15)
        assert all(np.array_equal(shifted[name], plain[name]) for name in NAMES if name != "bias_ih")


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_blocks_are_drawn_one_by_one(kind):
    """Each block is an orthogonal matrix of its own, not a piece of one big draw."""
    experiment = with_cell(kind).changed("initializer", "orthogonal").changed("weight_scale", 0.5)
    blocks = draw_weights(experiment)["weight_hh"].reshape(-1, 5, 5)
    for k, block in enumerate(blocks):
        assert block.T @ block == pytest.approx(0.25 * np.eye(5), abs=1e-15)
        assert all(not np.allclose(block, other) for other in blocks[:k])


# ---- own weights ----


def own(kind: str = "lstm") -> dict[str, object]:
    return dict(draw_weights(with_cell(kind)))


def checked(weights: dict[str, object], kind: str = "lstm") -> dict[str, np.ndarray]:
    return check_weights(weights, with_cell(kind), 3)


def test_tensors_with_gradients_layer_names_and_lists_are_taken():
    weights = own()
    forms = {
        "tensors": {k: torch.tensor(v, requires_grad=True) for k, v in weights.items()},
        "layer names": {f"{k}_l0": torch.nn.Parameter(torch.tensor(v)) for k, v in weights.items()},
        "lists": {k: v.tolist() for k, v in weights.items()},
    }
    for form, given in forms.items():
        found = checked(given)
        assert set(found) == set(NAMES), form
        for name, array in found.items():
            assert array.dtype == np.float64
            assert np.array_equal(array, weights[name]), form


def test_given_arrays_are_copied():
    weights = own()
    found = checked(weights)
    weights["weight_hh"][0, 0] = 99
    assert found["weight_hh"][0, 0] != 99


def test_missing_biases_are_zero():
    found = checked({k: v for k, v in own().items() if k.startswith("weight")})
    assert not found["bias_ih"].any()
    assert found["bias_hh"].shape == (20,)


@pytest.mark.parametrize("name", ["weight_ih", "weight_hh"])
def test_missing_matrix(name):
    weights = own()
    del weights[name]
    with pytest.raises(ValueError, match=rf"weights\['{name}'\] is missing; its shape must be \(20, \d\)"):
        checked(weights)


@pytest.mark.parametrize("key", ["weight_ho", "weight_hh_l1", "weight_hh_l0_reverse", "weight_hr_l0"])
def test_unknown_name(key):
    with pytest.raises(ValueError, match=key) as error:
        checked(own() | {key: np.zeros((5, 5))})
    assert all(name in str(error.value) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_shape(name):
    weights = own()
    weights[name] = np.asarray(weights[name])[:-1]
    with pytest.raises(ValueError, match=name) as error:
        checked(weights)
    assert str(weights[name].shape) in str(error.value)
    assert "'lstm' needs (20," in str(error.value)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(bad):
    weights = own()
    weights["weight_hh"][7, 2] = bad
    with pytest.raises(ValueError, match=rf"weights\['weight_hh'\] holds {bad} at index \(7, 2\)"):
        checked(weights)


@pytest.mark.parametrize("bad", ["text", None, [[1, 2], [3]], {"a": 1}, 1 + 2j, [1j], np.full((20,), 1 + 1j)])
def test_not_an_array_of_numbers(bad):
    with pytest.raises(ValueError, match="bias_hh"):
        checked(own() | {"bias_hh": bad})


def test_a_name_given_twice_is_refused():
    with pytest.raises(ValueError, match="bias_hh"):
        checked(own() | {"bias_hh_l0": np.zeros(20)})


def test_names_must_be_text():
    with pytest.raises(ValueError, match="3"):
        checked(own() | {3: np.zeros(20)})


# ---- matrices of the slots ----


@pytest.mark.parametrize("kind", TORCH)
def test_slots_are_torchs_sums(kind):
    """Every slot is W x + U h + b with the blocks of torch's weights (reset after the matrix)."""
    experiment = with_cell(kind)
    weights = draw_weights(experiment)
    matrix, message = slot_matrices(experiment.cell, weights)
    assert message is None
    h, x = np.random.default_rng(0).standard_normal((2, 5))
    slots = (matrix @ np.concatenate([h, x[:3], [1]])).reshape(-1, 5)
    from_x = (weights["weight_ih"] @ x[:3] + weights["bias_ih"]).reshape(-1, 5)
    from_h = (weights["weight_hh"] @ h + weights["bias_hh"]).reshape(-1, 5)
    expected = {
        "rnn": lambda: [from_x[0] + from_h[0]],
        "lstm": lambda: [from_x[k] + from_h[k] for k in (2, 0, 1, 3)],
        "gru": lambda: [from_x[0] + from_h[0], from_x[1] + from_h[1], from_x[2], from_h[2]],
    }[kind]()
    names = [slot.name for slot in experiment.cell.wiring()]
    order = {"rnn": ["hidden"], "lstm": ["cell", "input", "forget", "output"]}
    order["gru"] = ["reset", "update", "new_input", "new_hidden"]
    for name, values in zip(order[kind], expected, strict=True):
        assert slots[names.index(name)] == pytest.approx(values, rel=1e-13)


def test_reset_before_the_matrix_sends_both_biases_outside():
    experiment = with_cell("gru", reset="before")
    weights = draw_weights(experiment)
    matrix, message = slot_matrices(experiment.cell, weights)
    assert np.array_equal(message, weights["weight_hh"][10:])
    assert matrix.shape == (15, 9)
    assert np.array_equal(matrix[10:, -1], weights["bias_ih"][10:] + weights["bias_hh"][10:])
    assert not matrix[10:, :5].any()


def test_half_precision_tensors_are_taken():
    weights = {name: torch.tensor(array, dtype=torch.bfloat16) for name, array in own().items()}
    for name, array in checked(weights).items():
        assert np.array_equal(array, weights[name].double().numpy())


@pytest.mark.parametrize("longest", [50, 1000])
def test_chrono_spreads_the_memories_of_the_units_up_to_the_longest(longest):
    """b_f = ln U(1, T_max − 1) and b_i = −b_f: u = e^b is uniform, so its mean is T_max / 2."""
    base = Experiment(cell={"kind": "lstm", "forget_bias": 0.5}, hidden_size=512, bias_scale=0)
    drawn = draw_weights(base.changed("cell.chrono", longest))["bias_ih"].reshape(4, -1)
    u = np.exp(drawn[1] - 0.5)
    assert 1 <= u.min() < 0.02 * longest + 1 and 0.98 * (longest - 1) < u.max() <= longest - 1
    assert u.mean() == pytest.approx(longest / 2, rel=3 / np.sqrt(3 * 512))  # three standard deviations
    np.testing.assert_allclose(drawn[0], -(drawn[1] - 0.5), atol=1e-15)
    assert not drawn[2:].any()
    assert (draw_weights(base)["bias_ih"].reshape(4, -1)[1] == 0.5).all()


@pytest.mark.parametrize("update", ["keeps", "renews"])
def test_chrono_moves_the_grus_update_gate_towards_keeping(update):
    cell = {"kind": "gru", "update": update, "chrono": 100}
    bias = draw_weights(Experiment(cell=cell, hidden_size=64, bias_scale=0))["bias_ih"].reshape(3, -1)
    assert not bias[[0, 2]].any()
    assert ((bias[1] if update == "keeps" else -bias[1]) >= 0).all()


@pytest.mark.parametrize("longest", [1, 2])
def test_chrono_of_hardly_any_steps_is_no_bias(longest):
    cell = {"kind": "lstm", "chrono": longest}
    assert not draw_weights(Experiment(cell=cell, hidden_size=8, bias_scale=0))["bias_ih"].any()


@pytest.mark.parametrize("cell", [{"kind": "lstm"}, {"kind": "gru", "reset": "before"}], ids=str)
def test_the_order_in_memory_changes_no_digit(cell: dict[str, str]) -> None:
    trace = run(Experiment(cell=cell, hidden_size=256, num_steps=3, batch_size=2))
    turned = {name: np.asfortranarray(array) for name, array in trace.weights.items()}
    for array in turned.values():
        array.flags.writeable = False
    again = run(trace.experiment, weights=turned, inputs=np.asfortranarray(trace.inputs))
    assert (again.states["h"] == trace.states["h"]).all()
    assert (again.backward.totals["h"] == trace.backward.totals["h"]).all()
