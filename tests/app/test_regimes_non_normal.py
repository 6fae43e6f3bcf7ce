"""The section Non-normality in Streamlit's own test runner: what is drawn is what the measures give."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.non_normal_choices import NonNormalChoices
from explorer.app.regimes.non_normal import (
    KEY,
    LARGEST,
    STORIES,
    gaussian_matrix,
)
from explorer.app.regimes.non_normal_words import growth_sentence, measures_sentence, tone_of
from explorer.app.view import View
from explorer.cells import CELLS
from explorer.experiment import Experiment
from explorer.figures.power_norms import POWER_TRACES
from explorer.figures.style import LABELS
from explorer.initializers import Orthogonal
from explorer.link import bounds_of
from explorer.theory.non_normality import PowerGrowth, non_normal_matrix, power_growth, scaled_departure
from explorer.theory.pseudospectrum import pseudospectrum
from explorer.weights import draw_weights
from tests.app.payload import panel_of
from tests.app.section import healthy, open_section, view, widget

SMALL = Experiment(hidden_size=5, num_steps=8)
FIELDS = NonNormalChoices.model_fields
KINDS = get_args(FIELDS["non_normal_matrix"].annotation)
SLIDERS = [name for name, field in FIELDS.items() if bounds_of(field)]


def open_page(experiment: Experiment = SMALL, **choices: Any) -> AppTest:
    """A new session that comes to the section with these choices, their names without the prefix."""
    asked = {f"non_normal_{name}": value for name, value in choices.items()}
    return open_section("regimes", ["non_normal"], experiment, regime="non_normal", **asked)


def matrix_of(chosen: NonNormalChoices, experiment: Experiment = SMALL, block: int = 0) -> np.ndarray:
    """The same matrix, made without the page."""
    radius, strength = chosen.non_normal_radius, chosen.non_normal_strength
    size, seed = chosen.non_normal_size, chosen.non_normal_seed
    if chosen.non_normal_matrix == "example":
        return radius * np.eye(2) + strength * np.eye(2, k=1)
    if chosen.non_normal_matrix == "triangular":
        return non_normal_matrix(size, radius, strength, seed)
    if chosen.non_normal_matrix == "gaussian":
        drawn = gaussian_matrix(size, radius, seed)
    else:
        drawn = np.split(draw_weights(experiment)["weight_hh"], experiment.cell.blocks)[block]
    factor = chosen.non_normal_factor
    return drawn if factor == 1 else scaled_departure(drawn, factor)


def finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def assert_true_to(at: AppTest, matrix: np.ndarray) -> PowerGrowth:
    """Everything drawn and said equals what the measures give for this matrix."""
    shown = panel_of(at, KEY)["figures"]
    assert list(shown) == ["power_norms", "pseudospectrum"]
    found = power_growth(matrix, view(at).non_normal_steps)
    norm = shown["power_norms"]["data"][POWER_TRACES["norm"]]["y"]
    np.testing.assert_allclose(norm, finite(found.norms), atol=1e-9)
    points = len(shown["pseudospectrum"]["data"][0]["x"])
    plane = pseudospectrum(matrix, points=points)
    with np.errstate(divide="ignore"):
        contours = finite(np.log10(plane.sigma_min))
    np.testing.assert_allclose(shown["pseudospectrum"]["data"][0]["z"], contours, atol=1e-5)
    assert f"**{growth_sentence(found)}**" in at.markdown[0].value
    assert measures_sentence(found, plane) in [item.value for item in at.caption]
    for figure in shown.values():
        assert figure["title"] and figure["explain"] and "nan" not in figure["alt"]
    return found


def sentence(at: AppTest) -> str:
    return str(at.markdown[0].value)


# ---- every choice ----


@pytest.mark.parametrize("kind", KINDS)
def test_both_ends_of_every_slider_are_drawn(kind: str) -> None:
    at = open_page(matrix=kind, size=8, strength=1.5)
    assert_true_to(at, matrix_of(view(at)))
    offered = {item.key for kind in (at.slider, at.select_slider) for item in kind}
    for name in (name for name in SLIDERS if f"view:{name}" in offered):
        before = getattr(view(at), name)
        for end in bounds_of(FIELDS[name]) or ():
            value = type(FIELDS[name].default)(end)
            healthy(widget(at, name).set_value(value).run())
            assert getattr(view(at), name) == value
            assert_true_to(at, matrix_of(view(at)))
        healthy(widget(at, name).set_value(before).run())


def test_every_slider_is_offered_for_some_matrix() -> None:
    offered: set[str | None] = set()
    for kind in KINDS:
        at = open_page(matrix=kind)
        offered |= {item.key for kind in (at.slider, at.select_slider) for item in kind}
    assert {f"view:{name}" for name in SLIDERS} <= offered


@pytest.mark.parametrize("name", STORIES)
def test_stories(name: str) -> None:
    at = open_page(seed=7, radius=0.5)
    (button,) = [item for item in at.button if item.key == f"story:{name}"]
    healthy(button.click().run())
    assert STORIES[name].choices.items() <= view(at).model_dump().items()
    assert_true_to(at, matrix_of(view(at)))


@pytest.mark.parametrize("kind", CELLS)
def test_the_matrix_of_every_cell(kind: str) -> None:
    experiment = SMALL.changed("cell", kind)
    slots = {slot.name: slot.block for slot in experiment.cell.wiring()}
    usual = next((slots[gate] for gate in ("forget", "update", "input") if gate in slots), 0)
    at = open_page(experiment, matrix="own")
    assert_true_to(at, matrix_of(view(at), experiment, usual))


def test_the_block_of_every_gate() -> None:
    experiment = SMALL.changed("cell", "lstm")
    at = open_page(experiment, matrix="own")
    for block, gate in enumerate(("input", "forget", "cell", "output")):  # the rows of torch.nn.LSTM
        healthy(widget(at, "non_normal_gate").set_value(gate).run())
        assert_true_to(at, matrix_of(view(at), experiment, block))
        assert LABELS[gate] in panel_of(at, KEY)["figures"]["power_norms"]["title"]


# ---- what it teaches ----


@pytest.mark.parametrize("kind", ["example", "triangular", "gaussian"])
def test_the_slider_of_non_normality_moves_the_hump_and_no_eigenvalue(kind: str) -> None:
    name = "factor" if kind == "gaussian" else "strength"
    at = open_page(matrix=kind, size=8, steps=300)
    grown, points = [], []
    for value in (0.0, 2.0, 4.0):
        healthy(widget(at, f"non_normal_{name}").set_value(value).run())
        figures = panel_of(at, KEY)["figures"]
        grown.append(np.nanmax(figures["power_norms"]["data"][POWER_TRACES["norm"]]["y"]))
        marks = figures["pseudospectrum"]["data"][2]
        points.append(np.sort_complex(np.round(marks["x"] + 1j * marks["y"], 9)))
    assert grown[0] == 0 < grown[1] < grown[2]
    np.testing.assert_allclose(points[1:], [points[0]] * 2, atol=1e-8)


def test_the_example_says_what_is_known_of_it() -> None:
    at = open_page()
    assert "rises to 19.4 at k = 9 and stays below 1 only from k = 55 on" in sentence(at)
    exact = np.linalg.norm([[0.9**9, 9 * 5 * 0.9**8], [0, 0.9**9]], 2)
    peak = panel_of(at, KEY)["figures"]["power_norms"]["data"][POWER_TRACES["peak"]]
    assert 10 ** peak["y"][0] == pytest.approx(exact) == pytest.approx(19.379, abs=5e-4)


def test_an_orthogonal_matrix_neither_grows_nor_shrinks() -> None:
    experiment = Experiment(hidden_size=24, initializer=Orthogonal())
    at = open_page(experiment, matrix="own")
    found = assert_true_to(at, matrix_of(view(at), experiment))
    assert (found.peak, found.settled) == (0, None)  # whatever is rounded in a hundred products
    assert "‖Wᵏ‖ stays 1" in sentence(at)
    (said,) = [item.value for item in at.caption if "Kreiss" in item.value]
    assert "W is normal" in said and "the contours prove no growth" in said
    assert "without bound" not in panel_of(at, KEY)["figures"]["pseudospectrum"]["alt"]


@pytest.mark.parametrize(
    ("matrix", "tone", "said"),
    [
        ([[1.2, 0], [0, 0.5]], "explodes", "grows without bound and is 8.92 at k = 12"),
        ([[1, 0], [0, 1]], "survives", "stays 1, so some gradient passes unchanged"),
        ([[0.5, 0], [0, 0.5]], "vanishes", "every gradient shrinks from the first step on"),
        ([[0, 0], [0, 0]], "vanishes", "is exactly 0 at k = 12"),
        ([[1, 1], [0, 1]], "explodes", "still grows at k = 12, where it is 12.1"),
        ([[0.99, 5], [0, 0.99]], "vanishes", "grow by this factor, and only then vanish"),
        ([[0.9, 5], [0, 0.9]], "vanishes", "is still 18.8 at k = 12"),
        ([[0, 3], [0, 0]], "vanishes", "rises to 3 at k = 1 and stays below 1 only from k = 2 on"),
    ],
)
def test_sentences(matrix: list[list[float]], tone: str, said: str) -> None:
    found = power_growth(np.array(matrix, float), 12)
    assert tone_of(found) == tone
    assert said in growth_sentence(found)


# ---- what is refused ----


def test_bad_choices_are_named_and_kept_out() -> None:
    at = open_page(matrix="size", radius=9, gate="door", size=2.5)
    said = at.warning[0].value
    assert all(name in said for name in ("matrix", "radius", "gate", "size"))
    assert view(at) == View(regime="non_normal")


def test_what_takes_too_long_is_refused_in_a_sentence() -> None:
    at = open_page(Experiment(hidden_size=LARGEST + 1), matrix="own")
    assert f"for up to {LARGEST} units" in at.info[0].value
    assert [item for item in at.button if item.key == "story:example"]
