"""The drawing of the unrolled network, tested by its arrows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import figures
from explorer.figures.flow_colors import flow_span, flow_width
from explorer.figures.unrolled import UNROLLED_TRACES
from explorer.figures.unrolled_arrows import COLUMNS, Plan, Strand, columns_of


def strand(label="h", steps=8, rate=-1.0, **settings):
    along = rate * np.arange(steps, -1, -1.0)
    return Strand(label, along, along - 0.25, along[1:] - 0.5, **settings)


def last(steps=8):
    loss = np.zeros(steps + 1)
    loss[-1] = 1
    return loss


def shafts(figure):
    return [shape for shape in figure["layout"]["shapes"] if shape["type"] == "line"]


@given(st.integers(2, 1000), st.data())
def test_columns_hold_the_cursor_and_never_crowd(steps, data):
    cursor, loss = data.draw(st.integers(0, steps)), data.draw(st.integers(1, steps))
    columns = columns_of(steps, cursor, [loss])
    assert cursor in columns
    assert columns[0] >= 0 and columns[-1] <= steps
    assert len(columns) <= min(COLUMNS, steps + 1)
    assert (np.diff(columns) > 0).all()
    far = abs(cursor - loss) > steps / (COLUMNS - 1)
    assert loss in columns or not far


def test_short_sequences_have_a_column_for_every_step():
    assert columns_of(5, 2).tolist() == [0, 1, 2, 3, 4, 5]


def test_arrows_along_time_carry_what_reaches_their_tip():
    plan = Plan([strand()], columns_of(8, 4))
    arrows = [arrow for arrow in plan.arrows(last()) if "along time" in arrow.what]
    assert len(arrows) == 8
    for arrow in arrows:
        (x0, y0), (x1, y1) = arrow.start, arrow.end
        assert y0 == y1 == 1 and x1 < x0, "against the direction of computing"
        step = int(arrow.what.rsplit(" ", 1)[1])
        assert step < x1 < x0 < step + 1
        assert arrow.decades == -(8.0 - step) - 0.25


def test_arrows_down_and_from_the_loss():
    plan = Plan([strand()], columns_of(8, 4))
    down = [arrow for arrow in plan.arrows(last()) if "to the input" in arrow.what]
    assert [arrow.decades for arrow in down] == [-(8.0 - t) - 0.5 for t in range(1, 9)]
    assert all(arrow.start[0] == arrow.end[0] and arrow.end[1] < arrow.start[1] for arrow in down)
    loss = [arrow for arrow in plan.arrows(last()) if "from the loss" in arrow.what]
    assert [(arrow.start[0], arrow.decades) for arrow in loss] == [(8, 0.0)]


def test_what_each_loss_puts_in_is_read_off_the_step_that_no_other_reaches():
    """Weights 0.5 at step 3 and 0.1 at step 8 of a readout whose length is 2."""
    loss = np.zeros(9)
    loss[[3, 8]] = 0.5, 0.1
    norms = np.linspace(-4, np.log10(0.2), 9)
    plan = Plan([Strand("h", norms, norms, norms[1:])], np.arange(9))
    sizes = {arrow.start[0]: arrow.decades for arrow in plan.arrows(loss) if "from the loss" in arrow.what}
    assert sizes == {3: pytest.approx(0.0), 8: pytest.approx(np.log10(0.2))}


def test_a_backward_half_runs_the_other_way():
    pair = [strand("→"), strand("←", backwards=True)]
    plan = Plan(pair, columns_of(8, 4))
    arrows = [arrow for arrow in plan.arrows(last()) if "along time into ←" in arrow.what]
    assert all(arrow.end[0] > arrow.start[0] for arrow in arrows)
    assert [int(arrow.what.rsplit(" ", 1)[1]) for arrow in arrows] == list(range(2, 9))
    assert [arrow.decades for arrow in arrows] == [-(8.0 - t) - 0.25 for t in range(2, 9)]
    assert 0 in plan.drawn(1) and 0 not in plan.drawn(2), "a backward half has no state at t = 0"
    from_loss = [arrow for arrow in plan.arrows(last()) if "from the loss" in arrow.what]
    assert len(from_loss) == 2, "the loss reads both halves"


def test_layers_send_to_the_layer_below_in_their_direction():
    rows = [
        strand("1→"),
        strand("1←", backwards=True),
        strand("2→", layer=1),
        strand("2←", layer=1, backwards=True),
    ]
    plan = Plan(rows, columns_of(8, 4))
    down = {
        arrow.what.split(" at ")[0]: arrow for arrow in plan.arrows(last()) if arrow.what.startswith("from")
    }
    assert set(down) == {
        "from 1→ to the input", "from 1← to the input", "from 2→ to 1→", "from 2← to 1←",
        "from the loss into 2→", "from the loss into 2←",
    }  # fmt: skip
    assert round(down["from 2→ to 1→"].end[1]) == 1 and round(down["from 2← to 1←"].end[1]) == 2


def test_widths_are_the_gradient():
    figure = figures.unrolled([strand()], last(), cursor=4)
    span = flow_span(strand().norms, strand().along, strand().below)
    along = [shape for shape in shafts(figure) if shape["y0"] == shape["y1"] == 1]
    widths = {round(shape["x1"]): shape["line"]["width"] for shape in along}
    assert widths == {t: flow_width(-(8.0 - t) - 0.25, span) for t in range(8)}
    heads = figure["data"][UNROLLED_TRACES["heads"]]
    assert len(heads["x"]) == len(shafts(figure)) == len(heads["hovertext"])
    assert {"triangle-left", "triangle-down"} == set(heads["marker"]["symbol"])


def test_the_cursor_marks_its_column_and_the_drawing_follows():
    for cursor in (0, 33, 50, 100):
        figure = figures.unrolled([strand(steps=100, rate=-0.1)], last(100), cursor=cursor)
        (column,) = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "rect"]
        assert column["x0"] < cursor < column["x1"]
        assert cursor in figure["layout"]["xaxis"]["tickvals"]
    states = figure["data"][UNROLLED_TRACES["states"]]
    assert len(states["x"]) == COLUMNS and "∂L/∂h = 1" in states["hovertext"][-1]


def test_exact_zeros_are_dotted_and_named():
    along = np.array([-np.inf, -np.inf, -1.0, 0.0])
    dead = Strand("h", along, along, along[1:])
    figure = figures.unrolled([dead], last(3), cursor=1)
    dotted = [shape for shape in shafts(figure) if shape["line"].get("dash") == "dot"]
    assert len(dotted) == 3
    assert sum("exactly 0" in text for text in figure["data"][0]["hovertext"]) == 3
    assert "receives exactly 0" in figures.unrolled_alt([dead], last(3), cursor=1)
    nothing = Strand("h", np.full(4, np.nan), np.full(4, np.nan), np.full(3, np.nan))
    assert "not a finite number" in figures.unrolled([nothing], last(3), cursor=0)["data"][0]["hovertext"][0]


def test_an_arrow_past_a_layer_goes_round_its_node_and_joins_the_one_below():
    past = np.linspace(-7.0, 0.0, 8)
    rows = [strand("layer 1"), strand("layer 2", layer=1, past=past)]
    arrows = [a for a in Plan(rows, columns_of(8, 4)).arrows(last()) if a.what.startswith("past layer 2")]
    assert [a.decades for a in arrows] == past.tolist()
    for step, arrow in enumerate(arrows, 1):
        assert arrow.start[0] == arrow.end[0] == step, "it leaves a column and comes back to it"
        assert arrow.start[1] > 2 > arrow.end[1] > 1
        assert step - 1 < arrow.tip[0] < step and arrow.end[1] < arrow.tip[1] < arrow.start[1]
        assert {x for x, _ in arrow.corners} == {step, arrow.tip[0]}
    figure = figures.unrolled(rows, last(), cursor=4)
    paths = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "path"]
    span = flow_span(*(part for row in rows for part in (row.norms, row.along, row.below)), past)
    assert [shape["line"]["width"] for shape in paths] == [flow_width(size, span) for size in past]
    assert paths[0]["path"].startswith("M1,") and paths[0]["path"].count("L") == 3
    assert "goes past it" in figures.unrolled_alt(rows, last(), cursor=4)
    assert "past" not in figures.unrolled_alt(rows[:1], last(), cursor=4)


def test_a_bidirectional_layer_is_passed_by_once():
    past = np.zeros(8)
    rows = [
        strand("1→"),
        strand("1←", backwards=True),
        strand("2→", layer=1, past=past),
        strand("2←", layer=1, backwards=True),
    ]
    arrows = [a for a in Plan(rows, columns_of(8, 4)).arrows(last()) if a.what.startswith("past")]
    assert len(arrows) == 8
    assert all(a.start[1] > 4 and 3 > a.end[1] > 2 for a in arrows)
