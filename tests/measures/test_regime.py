"""What is said of stable, chaotic and small networks, and what must not be called chaos."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explorer import Experiment
from explorer.measures.lyapunov_fan import lyapunov_fan, undriven
from explorer.measures.regime import regime, regime_sentence

TANH = Experiment(
    hidden_size=200,
    initializer={"kind": "gaussian"},
    signal={"kind": "zeros"},
    bias_scale=0,
    initial_scale=1,
    batch_size=1,
)


def said(exponents: list[float], experiment: Experiment = TANH, **more: Any) -> tuple[str, str]:
    values = np.array(exponents)
    return regime(experiment, values, steps=300), regime_sentence(experiment, values, steps=300, **more)


def test_words_for_every_regime() -> None:
    kind, text = said([0.1, 0.2, 0.3], theory=0.15)
    assert kind == "chaotic" and "in all 3 networks" in text and "+0.200 (median)" in text
    assert "Large networks do the same (λ₁ = +0.150" in text
    kind, text = said([-0.5, -0.7], theory=-0.6)
    assert kind == "stable" and "fixed point or on a cycle" in text and "−0.700" in text
    kind, text = said([0.0, -0.2, 0.001])
    assert kind == "edge" and "in 2 they hardly shrink" in text
    kind, text = said([0.05, 0.04, 0.06, 0.03, 0.05, -0.1, -0.2, -0.05], theory=0.05)
    assert kind == "mixed" and "5 of 8 networks are chaotic, 3 settle into a fixed point or a cycle" in text
    assert "Finite size: large networks are chaotic here" in text and "with N = 200, 3 of 8 are not" in text
    kind, text = said([0.05, -0.3], theory=-0.1)
    assert "Finite size: large networks are stable here" in text
    kind, text = said([-np.inf, -np.inf])
    assert kind == "lost" and "λ₁ = −∞" in text
    kind, text = said([np.nan, 0.2])
    assert kind == "chaotic" and text.startswith("1 of 2 networks left out")
    assert said([np.nan])[0] == "not_a_number"


def test_growth_is_not_always_chaos() -> None:
    relu = TANH.changed("cell", {"kind": "rnn", "activation": "relu"})
    kind, text = said([0.2, 0.3], relu)
    assert kind == "unbounded" and "no chaos" in text and "haotic" not in text
    resting = TANH.changed("initial_scale", 0.0)
    kind, text = said([0.2, 0.3], resting)
    assert kind == "unstable_point" and "off 0" in text


def test_strong_input_suppresses_chaos() -> None:
    """Measured, not told: g = 2 is chaotic alone and forgets its start under strong noise."""
    driven = TANH.changed("signal", "noise").changed("input_scale", 10.0).changed("signal.amplitude", 10.0)
    driven = driven.changed("weight_scale", 2.0).changed("hidden_size", 100)
    alone = lyapunov_fan(undriven(driven), [2.0], range(4))[0]
    pushed = lyapunov_fan(driven, [2.0], range(4))[0]
    text = regime_sentence(driven, pushed, steps=300, undriven=alone)
    assert np.median(alone) > 0 > np.median(pushed)
    assert "the state forgets its start" in text and "the input suppresses chaos" in text
    weak = regime_sentence(driven, alone, steps=300, undriven=alone)
    assert "suppresses" not in weak


@given(st.lists(st.sampled_from([-np.inf, -0.3, -0.001, 0.0, 0.002, 0.2, np.nan]), min_size=1, max_size=9))
def test_counts_add_up(exponents: list[float]) -> None:
    kind, text = said(exponents, theory=0.1)
    assert text.endswith(".") and "nan" not in text
    known = [value for value in exponents if not np.isnan(value)]
    assert (kind == "chaotic") == (bool(known) and all(value > 1 / 300 for value in known))
    assert (kind == "mixed") == (0 < sum(value > 1 / 300 for value in known) < len(known))
