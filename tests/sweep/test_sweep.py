"""Every number of a sweep is that of a single run with these settings."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import explorer as ex
from explorer.cells import GRU, LSTM
from explorer.experiment import Experiment
from explorer.link import bounds_of, field_paths
from explorer.measures.decay import decades_lost, half_life, loss_step
from explorer.measures.lyapunov import lyapunov_exponents
from explorer.measures.saturation import saturated_share
from explorer.sweep import MEASURES, Cancelled, sweep
from explorer.trace import TooLarge, Trace, run
from tests.strategies import alone
from tests.sweep.variants import VARIANTS

SMALL: dict[str, Any] = {"hidden_size": 5, "num_steps": 12, "batch_size": 3, "initial_scale": 0.5, "seed": 3}
GATES = {GRU: ("reset", "update"), LSTM: ("input", "forget", "output")}


def shut_or_open(trace: Trace) -> float:
    """Share of gate values below 0.05 or above 0.95."""
    names = GATES[type(trace.experiment.cell)]
    values = np.stack([trace.gates[name] for name in names])
    return float(np.mean((values < 0.05) | (values > 0.95)))


def median(values: Any) -> float:
    with np.errstate(invalid="ignore"):
        return float(np.median(values))


def wanted(experiment: Experiment, measure: str) -> float:
    """The measure of one run, by the functions that the pages use."""
    trace = run(experiment)
    if measure == "decades_per_step":
        return -decades_lost(trace) / loss_step(trace)
    if measure == "gradient_norm":
        return median(ex.gradient_norms(trace)[0])
    if measure == "half_life":
        return half_life(trace)
    if measure == "saturated":
        return shut_or_open(trace) if type(experiment.cell) in GATES else saturated_share(trace)
    settle = experiment.num_steps // 6
    steps = experiment.num_steps - settle
    samples = range(experiment.batch_size)
    return median(
        [lyapunov_exponents(trace, count=1, steps=steps, settle=settle, sample=b).largest for b in samples]
    )


def assert_equals_runs(
    experiment: Experiment, over: dict[str, Any], measures: list[str], tolerance: float = 1e-10
) -> xr.Dataset:
    found = sweep(experiment, over, measures)
    for values in product(*over.values()):
        point = experiment
        for path, value in zip(over, values, strict=True):
            point = point.changed(path, value)
        at = found.sel(dict(zip(over, values, strict=True)))
        for measure in measures:
            message = f"{measure} at {dict(zip(over, values, strict=True))}"
            np.testing.assert_allclose(
                float(at[measure]), wanted(point, measure), rtol=tolerance, atol=tolerance, err_msg=message
            )
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_cell(variant: str) -> None:
    experiment = Experiment(cell=VARIANTS[variant], **SMALL)
    over = {"weight_scale": [0.3, 1.0, 3.0], "bias_scale": [0.0, 2.0]}
    assert_equals_runs(experiment, over, ["decades_per_step", "half_life"])
    assert_equals_runs(experiment, over, ["gradient_norm"])


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_every_measure(kind: str) -> None:
    experiment = Experiment(cell={"kind": kind}, **SMALL)
    bias = {"rnn": "cell.bias", "lstm": "cell.forget_bias", "gru": "cell.update_bias"}[kind]
    over = {"weight_scale": [0.5, 2.0], bias: [-3.0, 1.0], "input_scale": [0.0, 4.0]}
    found = assert_equals_runs(experiment, over, list(MEASURES))
    for measure in MEASURES:
        assert np.ptp(found[measure].values) > 0, measure


@pytest.mark.parametrize(
    "over",
    [
        {"seed": [0, 5], "hidden_size": [2, 7], "weight_scale": [0.5, 1.5]},
        {"initializer.strength": [0.0, 3.0], "weight_scale": [0.5, 1.5]},
        {"signal.amplitude": [0.0, 2.0], "initial_scale": [0.0, 1.0]},
        {"num_steps": [2, 5, 12, 40], "cell.bias": [-1.0, 0.5]},
        {"batch_size": [1, 2, 5], "signal.channels": [1, 4]},
    ],
)
def test_settings_that_need_products_of_their_own(over: dict[str, Any]) -> None:
    experiment = Experiment(initializer={"kind": "triangular"}, **SMALL)
    assert_equals_runs(experiment, over, ["decades_per_step", "lyapunov"])
    assert_equals_runs(experiment, over, ["decades_per_step"])


@pytest.mark.parametrize(
    "changes",
    [
        {"signal": {"kind": "pulse", "step": 9}},
        {"loss": {"kind": "step", "step": 6}},
        {"loss": {"kind": "every"}},
        {"hold": "forget=1@4-50", "cell": {"kind": "lstm"}},
        {"cell": {"kind": "clockwork", "periods": "1, 3"}},
    ],
)
def test_horizons_whose_beginnings_differ(changes: dict[str, Any]) -> None:
    experiment = Experiment(**SMALL | changes)
    over = {"num_steps": [3, 8, 11, 20], "weight_scale": [0.7, 1.4]}
    assert_equals_runs(experiment, over, ["decades_per_step", "half_life"])


def test_float32_is_close_enough_for_a_map() -> None:
    over = {"weight_scale": np.linspace(0.1, 4, 9), "bias_scale": [0.0, 1.0, 10.0]}
    one, two = (sweep(Experiment(batch_size=1, dtype=dtype), over) for dtype in ("float32", "float64"))
    assert 0 < float(abs(one - two).max()) < 1e-4  # decades per step


def test_exact_zeros_are_minus_infinity() -> None:
    found = sweep(
        Experiment(**SMALL), {"weight_scale": [0.0, 1.0]}, ["decades_per_step", "half_life", "lyapunov"]
    )
    assert float(found["decades_per_step"][0]) == float(found["lyapunov"][0]) == -np.inf
    assert float(found["half_life"][0]) == 0
    assert np.isfinite(found.isel(weight_scale=1).to_array()).all()


def test_what_is_no_number_is_nan() -> None:
    cell = {"kind": "lstm", "forget_activation": "linear", "candidate_activation": "linear"}
    experiment = Experiment(cell=cell | {"cell_activation": "linear"}, num_steps=300, hidden_size=8)
    found = sweep(experiment, {"cell.forget_bias": [0.0, 10.0], "weight_scale": [0.5, 4.0]}, list(MEASURES))
    assert np.isnan(found.isel({"cell.forget_bias": 1, "weight_scale": 1}).to_array()).all()
    assert np.isfinite(found.isel({"cell.forget_bias": 0, "weight_scale": 0}).to_array()).all()
    assert np.isnan(
        decades_lost(run(experiment.changed("cell.forget_bias", 10.0).changed("weight_scale", 4.0)))
    )


def test_orthogonal_linear_network_by_theory() -> None:
    # Every singular value of ∂h_T/∂h_t is g^(T−t), so the gradient gains log10 g at each step.
    experiment = Experiment(cell={"kind": "rnn", "activation": "linear"}, initializer={"kind": "orthogonal"})
    gains = np.array([0.5, 0.9, 1.0, 1.1, 2.0])
    found = sweep(experiment, {"weight_scale": gains, "seed": range(3)}, list(MEASURES))
    by_seed = found.transpose("seed", ...)
    np.testing.assert_allclose(by_seed["decades_per_step"], np.tile(np.log10(gains), (3, 1)), atol=1e-12)
    np.testing.assert_allclose(by_seed["gradient_norm"], np.tile(100 * np.log10(gains), (3, 1)), atol=1e-10)
    np.testing.assert_allclose(by_seed["lyapunov"], np.tile(np.log(gains), (3, 1)), atol=1e-12)
    np.testing.assert_allclose(by_seed["half_life"][:, :2], np.tile(-np.log(2) / np.log(gains[:2]), (3, 1)))
    assert (by_seed["half_life"][:, 2:] == np.inf).all() and (by_seed["saturated"] == 0).all()


def test_labels_and_attributes() -> None:
    experiment = Experiment(cell={"kind": "lstm"}, **SMALL)
    over = {"cell.forget_bias": np.array([-1.0, 2.0]), "seed": range(4, 7)}
    one = sweep(experiment, over, "half_life")
    assert isinstance(one, xr.DataArray) and one.name == "half_life"
    assert one.dims == ("cell.forget_bias", "seed")
    assert one["seed"].values.tolist() == [4, 5, 6]
    assert one["cell.forget_bias"].attrs["long_name"] == "forget bias"
    assert one.attrs["long_name"] == "half-life" and one.attrs["units"] == "steps"
    assert Experiment.model_validate(json.loads(one.attrs["experiment"])) == experiment
    several = sweep(experiment, over, ["half_life", "saturated"])
    assert isinstance(several, xr.Dataset)
    xr.testing.assert_identical(several["half_life"], one)


def test_written_and_read_as_netcdf(tmp_path: Any) -> None:
    found = sweep(Experiment(**SMALL), {"weight_scale": [0.0, 1.0], "num_steps": [5, 9]}, list(MEASURES))
    found.to_netcdf(tmp_path / "map.nc", engine="scipy")
    with xr.open_dataset(tmp_path / "map.nc") as read:
        xr.testing.assert_equal(read.load(), found)
        assert read.attrs == found.attrs


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({}, "over is empty"),
        ({"cell.forget_bias": [1.0]}, r"over\['cell.forget_bias'\] is not a setting.*cell.bias.*seed"),
        ({"cell": [1.0]}, r"over\['cell'\] is not a number.*weight_scale"),
        ({"weight_scale": [1.0, 4.5]}, r"over\['weight_scale'\] holds 4.5; allowed are numbers from 0 to 4"),
        ({"weight_scale": [np.nan]}, "holds nan; allowed are numbers from 0 to 4"),
        ({"num_steps": [2.5]}, r"over\['num_steps'\] holds 2.5; allowed are whole numbers from 2 to 1000"),
        ({"seed": []}, r"over\['seed'\] is \[\]; it must be a list of one or more whole numbers from 0"),
        ({"seed": 3}, r"over\['seed'\] is 3; it must be a list"),
        ({"seed": "abc"}, r"over\['seed'\] is 'abc'; it must be a list"),
        ({"seed": [[1], [2]]}, r"over\['seed'\] is \[\[1\], \[2\]\]; it must be a list"),
        ({"seed": [1, 2, 1]}, r"over\['seed'\] holds a value twice"),
    ],
)
def test_what_is_refused_is_named(over: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        sweep(Experiment(), over)


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        ("nonsense", "measure 'nonsense' is unknown; allowed are decades_per_step"),
        ([], "at least one"),
        (["lyapunov", "lyapunov"], "none of them twice"),
    ],
)
def test_measures_that_do_not_exist(measure: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        sweep(Experiment(), {"seed": [1]}, measure)


def test_networks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"network of layers; experiment.alone\(\)"):
        sweep(Experiment(network={"kind": "layers"}), {"seed": [1]})


def test_a_point_that_is_too_large_is_refused_before_anything_is_computed() -> None:
    with pytest.raises(TooLarge, match="lower"):
        sweep(Experiment(batch_size=64, num_steps=1000), {"hidden_size": [2, 512]}, progress=lambda *_: 1 / 0)


def test_progress_and_cancelling() -> None:
    experiment, over = Experiment(**SMALL), {"weight_scale": np.linspace(0, 1, 40), "seed": range(5)}
    seen: list[tuple[int, int]] = []
    whole = sweep(experiment, over, progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen}) and seen[-1] == (200, 200)
    with pytest.raises(Cancelled) as stopped:
        sweep(experiment, over, cancelled=lambda: len(seen) > 3, progress=lambda *_: seen.append((0, 0)))
    assert int(stopped.value.done.sum()) == 0
    seen.clear()
    with pytest.raises(Cancelled, match=r"cancelled after \d+ of 200 points") as stopped:
        sweep(experiment, over, cancelled=lambda: len(seen) > 3, progress=lambda *_: seen.append((0, 0)))
    done = stopped.value.done
    assert len(seen) == 4 and 0 < int(done.sum()) < 200
    xr.testing.assert_identical(stopped.value.finished, whole.where(done))


@given(
    alone(
        hidden_size=st.integers(2, 4),
        num_steps=st.integers(2, 6),
        batch_size=st.integers(1, 3),
        weight_scale=st.floats(0, 2),
        dtype=st.just("float64"),
    ),
    st.data(),
)
@settings(max_examples=25)
def test_any_experiment_over_any_setting(experiment: Experiment, data: st.DataObject) -> None:
    # A strongly non-normal matrix makes rounding errors of the two ways grow by its gain at each step.
    assume(getattr(experiment.initializer, "strength", 0) <= 5)
    numeric = {path: field for path, _, field in field_paths(experiment) if bounds_of(field)}
    small = {"hidden_size": 4, "num_steps": 6, "batch_size": 3, "weight_scale": 2, "initializer.strength": 5}
    path = data.draw(st.sampled_from(sorted(numeric)))
    low, high = bounds_of(numeric[path]) or (0, 0)
    high = min(high, small.get(path, high))
    whole = numeric[path].annotation is int
    values = data.draw(
        st.lists(
            st.integers(int(low), int(high)) if whole else st.floats(low, high),
            min_size=1,
            max_size=3,
            unique_by=lambda value: value + 0.0,
        )
    )
    assert_equals_runs(experiment, {path: values}, ["decades_per_step"], tolerance=1e-8)


@pytest.mark.parametrize("scale", [1e-300, 2.2250738585072014e-308])
def test_a_step_that_shrinks_by_more_than_floats_hold(scale: float) -> None:
    experiment = Experiment(hidden_size=2, num_steps=4, batch_size=1, weight_scale=scale)
    assert_equals_runs(experiment, {"bias_scale": [2.0]}, ["decades_per_step"], tolerance=1e-8)
