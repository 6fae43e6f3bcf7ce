"""Every number in docs/science.md and in the presets' texts, computed from its definition."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from explorer import Experiment, run
from explorer.lessons.presets import PRESETS
from explorer.measures import decades_lost, gradient_norms
from explorer.seq2seq.decoding import TOYS, beam_search
from explorer.seq2seq.decoding.markov import normalised, read_table

SCIENCE = (Path(__file__).parents[2] / "docs" / "science.md").read_text(encoding="utf-8")
OUTCOMES = " ".join(preset.outcome for preset in PRESETS.values())


def sigmoid(b: float) -> float:
    return 1 / (1 + math.exp(-b))


def half_life(b: float) -> float:
    return math.log(2) / -math.log(sigmoid(b))


def fixed_point_factor(w: float) -> float:
    h = 1.0
    for _ in range(1000):
        h = math.tanh(w * h)
    return w * (1 - h * h)


def hump() -> np.ndarray:
    u = np.array([[0.9, 5.0], [0.0, 0.9]])
    return np.array([np.linalg.norm(np.linalg.matrix_power(u, k), 2) for k in range(200)])


def toy() -> tuple[str, str]:
    """Probabilities of what greedy search and a beam of 2 find."""
    model, _ = normalised(*read_table(TOYS["greedy"].table))
    found = (beam_search(model, width=width, end=model.end, max_length=8).best for width in (1, 2))
    first, second = (f"{math.exp(one.log_prob):.4f}" for one in found)
    return first, second


NUMBERS = {
    "0.577": f"{1 / math.sqrt(3):.3f}",
    "0.394": f"{fixed_point_factor(1.5):.3f}",
    "0.166": f"{fixed_point_factor(2):.3f}",
    "0.031": f"{fixed_point_factor(3):.3f}",
    "13,781": f"{1.1**100:,.0f}",
    "4.139": f"{100 * math.log10(1.1):.3f}",
    "2.70": f"{1.01**100:.2f}",
    "19.379": f"{hump().max():.3f}",
    "k = 9": f"k = {hump().argmax()}",
    "k = 55": f"k = {np.flatnonzero(hump() >= 1).max() + 1}",
    "0.00515378": f"{0.9**50:.8f}",
    "117.3909": f"{1.1**50:.4f}",
    "1.000, 2.213": f"{half_life(0):.3f}, {half_life(1):.3f}",
    "14.27": f"{half_life(3):.2f}",
    "103.2": f"{half_life(5):.1f}",
    "2.5e-14": f"{sigmoid(1) ** 100:.1e}",
    "0.982": f"{sigmoid(4):.3f}",
    "0.788": f"{-100 * math.log10(sigmoid(4)):.3f}",
    "3.2e-16": f"{0.7**100:.1e}",
    "0.0875": toy()[0],
    "0.1625": toy()[1],
}


POWERS = {
    "25.6": f"{1.5**8:.1f}",
    "0.0039": f"{0.5**8:.4f}",
    "0.00118": f"{0.9**64:.5f}",
    "0.430": f"{0.9**8:.3f}",
    "30.1": f"{100 * math.log10(2):.1f}",
}


@pytest.mark.parametrize(("written", "computed"), NUMBERS.items())
def test_number_is_what_its_definition_gives(written: str, computed: str) -> None:
    assert written == computed
    assert written in " ".join(SCIENCE.split())


def test_no_decimal_number_in_the_text_is_left_untested() -> None:
    settings = {
        "0.9",
        "1.1",
        "1.5",
        "0.7",
        "0.01",
        "1.01",
        "0.1",
        "0.5",
        "1504.00941",
        "1609.08144",
        "1e-594",
        "1.1^100",
    }
    tested = " ".join(NUMBERS)
    for text in (SCIENCE, OUTCOMES):
        for number in re.findall(r"\d[\d,]*\.\d+(?:e-?\d+)?|\d+e-\d+", text):
            known = number in settings or number in tested
            assert known or number in {"19.38", "0.731", "0.8", "1e-11", *POWERS}, number


@pytest.mark.parametrize(("written", "computed"), POWERS.items())
def test_powers_in_the_presets(written: str, computed: str) -> None:
    assert written == computed
    assert written in OUTCOMES


def test_rounded_numbers_of_the_presets() -> None:
    assert f"{hump().max():.2f}" == "19.38"
    assert f"{sigmoid(1):.3f}" == "0.731"
    assert f"{-100 * math.log10(sigmoid(4)):.1f}" == "0.8"
    assert 10.5 < decades_lost(run(Experiment(num_steps=50))) < 11.5


def test_circular_law() -> None:
    """The spectral radius of default weights comes down to 0.577 as N grows."""
    radius = [
        np.abs(np.linalg.eigvals(run(Experiment(hidden_size=n, num_steps=2)).weights["weight_hh"])).max()
        for n in (64, 512)
    ]
    assert radius[0] > radius[1] > 0.577
    assert radius[1] == pytest.approx(0.577, rel=0.06)


def test_irnn_without_bias_or_input_starts_with_slope_zero() -> None:
    preset = PRESETS["irnn"].experiment.changed("cell.bias", 0.0).changed("input_scale", 0.0)
    assert (gradient_norms(run(preset))[:-1] == -math.inf).all()


def test_recurrent_weights_lengthen_the_half_life_of_the_cell() -> None:
    small = PRESETS["lstm-forget-1"].experiment
    lost = [gradient_norms(run(e), "c") for e in (small, small.changed("weight_scale", 1.0))]
    assert np.median(lost[1][-1] - lost[1][0]) < np.median(lost[0][-1] - lost[0][0]) - 3


def test_a_vanished_gradient_keeps_its_digits() -> None:
    experiment = Experiment.model_validate(
        {
            "cell": {"activation": "linear", "kind": "rnn"},
            "initializer": {"kind": "orthogonal"},
            "weight_scale": 0.01,
            "num_steps": 297,
        }
    )
    assert gradient_norms(run(experiment))[0] == pytest.approx(-594, abs=1e-9)
