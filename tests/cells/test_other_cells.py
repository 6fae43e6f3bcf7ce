"""What is particular to the clockwork cell's periods and to the integrators."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from explorer import Experiment, run
from explorer.cells.antisymmetric import Antisymmetric
from explorer.cells.clockwork import LONGEST, Clockwork, parse_periods
from explorer.cells.integrator import Integrator
from explorer.measures import gradient_norms

# ---- periods ----


@pytest.mark.parametrize(
    ("text", "periods"),
    [
        ("1", (1,)),
        ("1, 2, 4, 8", (1, 2, 4, 8)),
        ("8;4 2\t1", (1, 2, 4, 8)),
        ("+3,,5,", (3, 5)),
        ("1000", (1000,)),
    ],
)
def test_periods_are_read_in_any_order_and_written_in_one(text: str, periods: tuple[int, ...]) -> None:
    assert parse_periods(text) == periods
    assert Clockwork(periods=text).periods == ", ".join(map(str, periods))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no period is given; write whole numbers such as 1, 2, 4, 8"),
        (" ,; ", "no period is given"),
        ("0", "period 0 is below 1, where a module is updated at every step"),
        ("1, -2", "period -2 is below 1"),
        ("1001", "period 1001 is above 1000, the length of the longest sequence"),
        ("9" * 90, "period 9999999999999999999… is above 1000"),
        ("1, two", "'two' is no whole number"),
        ("1.5", "'1.5' is no whole number"),
        ("1e3", "'1e3' is no whole number"),
        ("nan", "'nan' is no whole number"),
        ("٣", "'٣' is no whole number"),
        ("2, 1, 2", "period 2 appears twice; every module needs a period of its own"),
        (" ".join(map(str, range(1, 18))), "17 periods are given; at most 16 modules are allowed"),
    ],
)
def test_impossible_periods_are_refused_with_a_sentence_and_the_settings_stay(
    text: str, sentence: str
) -> None:
    with pytest.raises(ValidationError, match="periods"):
        Clockwork(periods=text)
    found, said = Experiment.from_url({"cell": "clockwork", "hidden_size": "8", "cell.periods": text})
    assert (found.cell.kind, found.hidden_size, found.cell.periods) == ("clockwork", 8, "1, 2, 4, 8")
    assert len(said) == 1
    assert sentence in said[0]
    assert said[0].endswith("1, 2, 4, 8 is used instead.")


@given(st.text(max_size=100))
def test_no_text_breaks_the_periods(text: str) -> None:
    try:
        periods = parse_periods(text)
    except ValueError as error:
        assert 10 < len(str(error)) < 260
    else:
        assert parse_periods(", ".join(map(str, periods))) == periods
        assert all(1 <= period <= LONGEST for period in periods)


@given(st.integers(2, 40), st.sets(st.integers(1, LONGEST), min_size=1, max_size=16))
def test_modules_share_all_units_evenly(hidden_size: int, periods: set[int]) -> None:
    cell = Clockwork(periods=" ".join(map(str, periods)))
    modules = cell.modules(hidden_size)
    assert list(modules) == sorted(periods)
    units = [unit for part in modules.values() for unit in range(hidden_size)[part]]
    assert units == list(range(hidden_size))
    sizes = [part.stop - part.start for part in modules.values()]
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)  # where units are too few the slowest have none


def test_the_schedule_says_when_a_module_is_due() -> None:
    cell = Clockwork(periods="1, 3")
    schedule = cell.schedule(3, 6)["active"]
    assert schedule.T.tolist() == [[1] * 6, [1] * 6, [0, 0, 1, 0, 0, 1]]
    assert cell.activity(6).tolist() == [[True] * 6, [False, False, True] * 2]


def test_a_module_that_is_not_due_keeps_its_state_to_the_last_digit() -> None:
    experiment = Experiment(cell={"kind": "clockwork", "periods": "1, 4"}, hidden_size=6, num_steps=12)
    trace = run(experiment)
    slow, h = experiment.cell.modules(6)[4], trace.states["h"]
    moved = [not np.array_equal(h[t, :, slow], h[t - 1, :, slow]) for t in range(1, 13)]
    assert moved == [t % 4 == 0 for t in range(1, 13)]
    assert np.array_equal(trace.gates["active"][:, 0], experiment.cell.schedule(6, 12)["active"])


def test_a_period_beyond_the_sequence_is_never_due() -> None:
    trace = run(Experiment(cell={"kind": "clockwork", "periods": "500"}, hidden_size=4, num_steps=20))
    assert not trace.states["h"].any()
    assert (gradient_norms(trace) == gradient_norms(trace)[-1]).all()


def test_period_one_alone_is_the_vanilla_network() -> None:
    settings = {"hidden_size": 8, "num_steps": 30, "initial_scale": 1.0}
    clock, plain = (
        run(Experiment(cell=cell, **settings))
        for cell in ({"kind": "clockwork", "periods": "1"}, {"kind": "rnn"})
    )
    assert clock.states["h"] == pytest.approx(plain.states["h"], abs=1e-13)
    assert gradient_norms(clock) == pytest.approx(gradient_norms(plain), abs=1e-11)


def test_holding_the_clock_at_one_updates_all_modules_at_every_step() -> None:
    settings = {"hidden_size": 8, "num_steps": 30, "initial_scale": 1.0}
    cell = {"kind": "clockwork", "periods": "2, 5"}
    held = run(Experiment(cell=cell, hold="active=1", **settings))
    plain = run(Experiment(**settings), weights=held.weights)
    assert held.states["h"] == pytest.approx(plain.states["h"], abs=1e-13)


@pytest.mark.parametrize("size", [1.0, 20.0, 60.0])
def test_partials_of_a_clockwork_step_keep_their_digits(size: float) -> None:
    """∂h/∂a = m/cosh²(a), exactly 0 or 1 − 0 where the module rests; 1 − tanh² would be 0 beyond 19."""
    rng = np.random.default_rng(1)
    slots, h = rng.uniform(-size, size, (6, 1, 5, 2)), rng.uniform(-1, 1, (6, 5, 2))
    clock = Clockwork(periods="1, 2, 3").schedule(5, 6)["active"][:, :, None]
    found = Clockwork().partials_with({"active": clock}, slots, slots, {"h": h}, {"h": h})
    ((state, where, slope),) = found.slots
    assert (state, where) == ("h", slice(0, 1))
    with mp.workdps(60):
        exact = np.vectorize(lambda a: float(1 / mp.cosh(mp.mpf(float(a))) ** 2))(slots)
    assert np.allclose(slope, clock[:, None] * exact, rtol=1e-12, atol=0)
    assert np.array_equal(found.carry["h", "h"], np.broadcast_to(1 - clock, h.shape))


# ---- integrators ----


def test_an_integrator_must_say_its_rates() -> None:
    with pytest.raises(NotImplementedError):
        _ = Integrator.model_construct(kind="nothing").rates


@pytest.mark.parametrize("initializer", ["identity", "symmetric"])
def test_a_symmetric_draw_leaves_an_antisymmetric_network_without_a_matrix(initializer: str) -> None:
    experiment = Experiment(cell=Antisymmetric(), initializer={"kind": initializer}, hidden_size=5)
    assert not run(experiment).weights["weight_hh"].any()


def test_the_weight_scale_multiplies_the_antisymmetric_matrix_and_not_the_diffusion() -> None:
    experiment = Experiment(cell=Antisymmetric(), hidden_size=5, num_steps=3)
    one, two = (run(experiment.changed("weight_scale", s)).weights["weight_hh"] for s in (1.0, 2.0))
    assert np.allclose(two, 2 * one, rtol=1e-15)
    assert not np.diag(two).any()


def test_a_reservoir_of_one_unit_is_refused_with_its_bounds() -> None:
    found, said = Experiment.from_url("cell=echo&initializer=reservoir&hidden_size=1")
    assert (found.cell.kind, found.initializer.kind, found.hidden_size) == ("echo", "reservoir", 64)
    assert said == ["hidden_size = 1 is not allowed (2 to 512): 64 is used instead."]


def test_spectral_radius_zero_leaves_only_the_leak() -> None:
    experiment = Experiment(
        cell={"kind": "echo", "leak_rate": 0.5},
        initializer={"kind": "reservoir", "spectral_radius": 0.0},
        num_steps=10,
    )
    trace = run(experiment)
    assert not trace.weights["weight_hh"].any()
    assert gradient_norms(trace)[0] == pytest.approx(10 * np.log10(0.5), abs=1e-12)
