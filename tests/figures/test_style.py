"""Colours, tokens, log axes and how numbers are written."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.figures import themed
from explorer.figures.decades import decade_range, decade_ticks, number, power, quantiles, stretches
from explorer.figures.state_colors import DIVERGING
from explorer.figures.style import COLORS, GATES, GHOSTS, THEMES, gate_look, with_colors


def luminance(color):
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_all_colours_are_readable_on_both_backgrounds(dark):
    theme = THEMES[dark]
    used = {*COLORS.values(), *(color for color, _ in GHOSTS), *(color for color, _ in GATES.values())}
    for color in used:
        assert contrast(with_colors(color, theme), theme["background"]) >= 3, color


@pytest.mark.parametrize("dark", [False, True])
def test_larger_states_stand_out_more(dark):
    background = THEMES[dark]["background"]
    stops = [(place, with_colors(color, THEMES[dark])) for place, color in DIVERGING]
    channels = [[int(color[at : at + 2], 16) for _, color in stops] for at in (1, 3, 5)]

    def drawn(value):
        at = (value + 1) / 2
        mixed = [round(np.interp(at, [place for place, _ in stops], channel)) for channel in channels]
        return contrast("#" + "".join(f"{part:02x}" for part in mixed), background)

    for sign in (-1, 1):
        contrasts = [drawn(sign * size) for size in np.linspace(0, 1, 21)]
        assert contrasts[0] == 1 and (np.diff(contrasts) > 0).all()
        assert contrasts[-1] >= 3


def test_dashes_are_a_second_cue():
    assert len({dash for _, dash in GHOSTS}) == 4
    for gates in (("input", "forget", "output", "cell"), ("reset", "update", "new")):
        assert len({gate_look(gate) for gate in gates}) == len(gates)
        assert len({gate_look(gate)[1] for gate in gates}) == len(gates)


@pytest.mark.parametrize("dark", [False, True])
def test_themed_replaces_every_token(dark):
    figure = {
        "data": [{"type": "scatter", "y": np.arange(3.0), "line": {"color": "token:text"}}],
        "layout": {"annotations": [{"text": "a", "font": {"color": "token:muted"}}]},
    }
    shown = themed(figure, dark)
    assert shown.data[0].line.color == THEMES[dark]["text"]
    assert shown.layout.annotations[0].font.color == THEMES[dark]["muted"]
    assert "token:" not in shown.to_json()
    assert figure["data"][0]["line"]["color"] == "token:text"


@pytest.mark.parametrize(
    "decades, text",
    [
        (0.0, "1"),
        (np.log10(0.00515378), "0.00515"),
        (np.log10(117.3909), "117"),
        (-1000.25, "5.62·10⁻¹⁰⁰¹"),
        (1499.9999, "1.00·10¹⁵⁰⁰"),
        (-np.inf, "exactly 0"),
        (np.nan, "not a finite number"),
        (np.inf, "not a finite number"),
    ],
)
def test_numbers_as_people_write_them(decades, text):
    assert number(decades) == text


def test_powers_are_unicode():
    assert power(-50) == "10⁻⁵⁰"


@given(st.lists(st.floats(-1e5, 1e5), max_size=5))
def test_range_is_coarse_and_covers(values):
    low, high = decade_range(np.array(values))
    room = 0.05 * (high - low)
    assert low <= 0 <= high and low < high
    assert low - room <= min([0.0, *values]) and max([0.0, *values]) <= high + room
    assert low == int(low) and low % 5 == 0 and high % 5 == 0
    ticks, labels = decade_ticks(low, high)
    assert 0.0 in ticks and len(ticks) == len(labels) <= 8


def test_range_grows_in_steps_only():
    lows = [decade_range([-x])[0] for x in np.linspace(0.5, 100, 400)]
    assert lows == sorted(lows, reverse=True)
    assert len(set(lows)) < 25


def test_quantiles_pass_over_infinities_without_nan():
    rows = np.array([[-np.inf, -np.inf, -1.0, 0.0], [np.nan, 0, 0, 0], [1.0, 2.0, 3.0, 4.0]])
    (median,) = quantiles(rows, (0.5,))
    assert median[0] == -np.inf and np.isnan(median[1]) and median[2] == 2.5


def test_stretches():
    assert stretches(np.array([1, 1, 0, 1, 0, 0, 1], bool)) == [(0, 1), (3, 3), (6, 6)]
    assert stretches(np.zeros(3, bool)) == []
