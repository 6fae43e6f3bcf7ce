"""The section Tied or untied in Streamlit's own test runner: what is drawn is what the measures give."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, get_args

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.app.regimes.tied import KEY, SHOWN, STORIES
from explorer.app.tied_choices import TiedChoices
from explorer.app.view import View
from explorer.ensembles.growth_laws import applicable_law
from explorer.ensembles.layers import KINDS, LayerStack
from explorer.ensembles.products import GradientFan, gradient_fan, product_singular_values
from explorer.ensembles.tied import tied_sentence
from explorer.link import bounds_of
from tests.app.payload import panel_of
from tests.app.section import healthy, open_section, sentence, view, widget

FIGURES = ["tied_fan", "spread_growth", "layer_spectrum"]
SMALL = {"tied_depth": 10, "tied_width": 8, "tied_seeds": 4}
FIELDS = TiedChoices.model_fields


open_page = partial(open_section, "regimes", ["tied"], **{"regime": "tied", **SMALL})


def drawn(at: AppTest) -> dict[str, dict[str, Any]]:
    figures: dict[str, dict[str, Any]] = panel_of(at, KEY)["figures"]
    assert list(figures) == FIGURES
    return figures


def curve(figure: dict[str, Any], name: str) -> np.ndarray:
    (trace,) = [trace for trace in figure["data"] if trace.get("name") == name]
    return np.asarray(trace["y"])


def stack_of(kind: str, chosen: TiedChoices) -> LayerStack:
    """The same layers, made without the page."""
    sizes: dict[str, Any] = {"width": chosen.tied_width}
    if KINDS[kind].convolution:
        sizes = {"kernel_width": chosen.tied_kernel, "channels": 16, "positions": 8}
    return LayerStack.model_validate(
        sizes
        | {"kind": kind, "activation": chosen.tied_activation, "initializer": chosen.tied_matrices}
        | {"gain": chosen.tied_gain, "depth": chosen.tied_depth, "count": chosen.tied_seeds}
        | {"branch_scale": chosen.tied_branch}
    )


def finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def middle(fan: GradientFan) -> np.ndarray:
    """The median over the seeds, −inf where half of them or more are exactly 0."""
    ordered = np.sort(fan.log_norms, axis=0)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return np.where(np.isneginf(low), -np.inf, (low + high) / 2)


def assert_true_to(at: AppTest, chosen: TiedChoices) -> dict[str, GradientFan]:
    """Everything drawn and said equals what the measures give for these choices."""
    figures, fans = drawn(at), {}
    for kind in SHOWN:
        stack = stack_of(kind, chosen)
        fans[kind] = fan = gradient_fan(stack)
        label, law = KINDS[kind].label, applicable_law(stack)
        seeds = curve(figures["tied_fan"], f"seeds, {label}").reshape(len(fan.log_norms), -1)
        np.testing.assert_allclose(seeds[:, :-1], finite(fan.log_norms), atol=2e-5)
        np.testing.assert_allclose(curve(figures["tied_fan"], label), finite(middle(fan)), atol=2e-5)
        spread = np.where(fan.spread > 0, fan.spread, np.nan)[1:]
        np.testing.assert_allclose(curve(figures["spread_growth"], label), spread, atol=3e-5)
        values = product_singular_values(stack, [stack.depth])[0]
        shown = curve(figures["layer_spectrum"], label)
        known = np.isfinite(values) & np.isfinite(shown)  # the last ones may be known at one gain only
        assert known.sum() >= np.isfinite(values).sum() - 2
        np.testing.assert_allclose(shown[known], values[known], atol=1e-5)
        if law is not None:
            theory = curve(figures["tied_fan"], f"theory, {label}")
            np.testing.assert_allclose(theory, finite(law.mean), atol=1e-9)
    plain = re.sub(r"\$k\^\{([\d.-]+)\}\$", r"k^\1", sentence(at))
    assert tied_sentence(fans["recurrent"], fans["independent"]) in plain
    for figure in figures.values():
        assert figure["title"] and figure["explain"] and re.search(r"\d", figure["alt"])
        assert "nan" not in figure["alt"]
    return fans


def all_choices() -> list[tuple[str, str]]:
    """Every activation with every kind of matrix."""
    functions, matrices = (get_args(FIELDS[f"tied_{name}"].annotation) for name in ("activation", "matrices"))
    return [(function, matrix) for function in functions for matrix in matrices]


@pytest.mark.parametrize(("function", "matrices"), all_choices())
def test_every_choice_is_drawn_as_it_is_measured(function: str, matrices: str) -> None:
    chosen = {"tied_activation": function, "tied_matrices": matrices, "tied_gain": 1.2}
    at = open_page(**chosen)
    assert_true_to(at, TiedChoices.model_validate(SMALL | chosen))


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if bounds_of(field)])
def test_both_ends_of_every_slider_are_drawn(name: str) -> None:
    at = open_page()
    for end in bounds_of(FIELDS[name]) or ():
        value = type(FIELDS[name].default)(end)
        healthy(widget(at, name).set_value(value).run())
        assert getattr(view(at), name) == value
        address = at.query_params.get(f"view.{name}", f"{FIELDS[name].default}")
        assert float(np.ravel(address)[0]) == end
        fans = assert_true_to(at, view(at))
        if name == "tied_gain" and end == 0:
            assert "no gradient is left" in sentence(at)
            assert all(fan.zeros[-1] == 4 for kind, fan in fans.items() if kind != "residual")


def test_the_first_picture_answers_why_a_recurrent_relu_network_needs_the_identity() -> None:
    """He's variance keeps untied layers near 1 and gives one repeated matrix many decades of luck."""
    at = open_page(**{name: FIELDS[name].default for name in SMALL})
    assert view(at) == View(regime="tied")
    fans = assert_true_to(at, TiedChoices())
    assert fans["recurrent"].spread[-1] > 4 * fans["independent"].spread[-1]
    assert "√(σ_w²/2) = 1 a layer" in sentence(at)
    assert "the repeated identity gives 1 a layer with no spread." in sentence(at)


def test_stories_are_one_click() -> None:
    at = open_page(tied_gain=0.5)
    for name, story in STORIES.items():
        healthy(at.button(key=f"story:{name}").click().run())
        assert all(getattr(view(at), field) == value for field, value in story.choices.items())
        assert view(at).tied_width == 8, "a story leaves the sizes alone"
        chosen = [item.key for item in at.button if item.proto.type == "primary"]
        assert chosen == [f"story:{name}"]
        assert_true_to(at, view(at))
    flat = drawn(at)["tied_fan"]
    for kind in ("recurrent", "independent", "convolution"):
        np.testing.assert_allclose(curve(flat, KINDS[kind].label), 0, atol=1e-5)
    notes = [note["text"] for note in drawn(at)["spread_growth"]["layout"]["annotations"]]
    assert "no spread in any kind" in notes


def test_the_default_of_pytorch_shrinks_untied_relu_layers_too() -> None:
    """SCIENCE: × 0.408 in each layer, independent or not."""
    at = open_page(**STORIES["torch"].choices, tied_depth=50, tied_width=64, tied_seeds=8)
    ends = [curve(drawn(at)["tied_fan"], KINDS[kind].label)[-1] for kind in ("independent", "convolution")]
    np.testing.assert_allclose(ends, 50 * np.log10(np.sqrt(1 / 6)), atol=3)
    assert "√(σ_w²/2) = 0.408 a layer" in sentence(at)


@pytest.mark.parametrize(
    "name, text",
    [
        ("tied_gain", "9"),
        ("tied_gain", "nan"),
        ("tied_depth", "1e9"),
        ("tied_width", "0"),
        ("tied_seeds", "1"),
        ("tied_kernel", "9"),
        ("tied_branch", "-1"),
        ("tied_activation", "sine"),
        ("tied_matrices", "xavier"),
    ],
)
def test_bad_addresses_are_named_and_kept_out(name: str, text: str) -> None:
    at = open_page(**{name: text})
    said = "\n".join(item.value for item in at.warning).replace("\\", "")
    assert f"view.{name}" in said and "is not allowed" in said
    assert getattr(view(at), name) == FIELDS[name].default if name not in SMALL else True
    assert drawn(at)
