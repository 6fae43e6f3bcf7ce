"""Controls for the model that is decoded: the table of a Markov toy, or a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from pydantic import ValidationError

from explorer.app import controls, sections, state
from explorer.app.decoding.translators import translator_controls
from explorer.app.decoding_choices import Decoding
from explorer.seq2seq.decoding.markov import BOS, EOS, read_table, write_table
from explorer.seq2seq.decoding.toys import TOYS

_OWN = "own"


def model_controls(source: str, *, opened: bool) -> None:
    """The kind of model, the field ``source`` of the view, and what it is made of."""

    def draw() -> None:
        controls.view_control(source)
        _CONTROLS[getattr(state.view(), source)]()

    controls.group("decoding_model", "Model", draw, opened=opened)


def _toy() -> None:
    """Menu of toys, and a table beside the sidebar that can be edited."""
    table = state.view().decoding_toy
    names = {toy.table: name for name, toy in TOYS.items()}
    chosen = names.get(table, _OWN)
    st.session_state["toy-menu"] = chosen

    def take_toy() -> None:
        wanted = st.session_state["toy-menu"]
        if wanted != _OWN:
            state.look(decoding_toy=TOYS[wanted].table)

    st.selectbox(
        "toy",
        [*TOYS, *([] if table in names else [_OWN])],
        key="toy-menu",
        on_change=take_toy,
        format_func=lambda name: "your own" if name == _OWN else TOYS[name].label,
        help="Tables that each show one thing.",
    )
    st.caption(sections.literal("A table of your own." if chosen == _OWN else TOYS[chosen].shows))
    with st.popover("Edit words and table", icon=":material/table_edit:", width="stretch"):
        _words(table)
        _cells(table)


def _text() -> None:
    """How far back characters are counted, what stands before, and an own text."""
    for name in ("order", "prompt", "own"):
        controls.view_control(f"decoding_{name}")


_CONTROLS: dict[str, Callable[[], None]] = {
    "toy": _toy,
    "text": _text,
    "translator": translator_controls,
}
"""Kind of model → its own controls."""


def _words(table: str) -> None:
    """The vocabulary."""
    words, weights = read_table(table)
    # A widget of its own for every vocabulary: while the box is closed, the browser would keep the old text.
    key = f"toy-words:{' '.join(words)}"
    st.session_state[key] = " ".join(words)
    st.text_input(
        "words",
        key=key,
        max_chars=80,
        on_change=lambda: _take_words(words, weights, st.session_state[key]),
        help="Up to six words, parted by spaces; a new one leads to <eos>.",
    )


def _take_words(words: tuple[str, ...], weights: np.ndarray, text: str) -> None:
    """Use the table for other words."""
    take_table(resized(words, weights, text.split()))


def _cells(table: str) -> None:
    """A cell for each pair of words."""
    grid = _grid_of(table)
    words, weights = read_table(grid.given)
    st.data_editor(
        {"after": [BOS, *words]} | dict(zip((*words, EOS), weights.T, strict=True)),
        key=grid.key,
        on_change=_take_cells,
        hide_index=True,
        column_config={"after": st.column_config.TextColumn(disabled=True, width=70)}
        | {
            name: st.column_config.NumberColumn(min_value=0.0, max_value=1000.0, format="%.4g", width=76)
            for name in (*words, EOS)
        },
    )
    st.caption("Row: the word before. Column: the next one. A row is divided by its sum.")


@dataclass(frozen=True)
class _Grid:
    """The grid on the screen. It is given the same table while cells are edited, else it would begin anew.

    Attributes:
        key: its widget's key.
        given: the table that it started with; the widget knows what was edited since.
        shown: the table that it shows.
    """

    key: str
    given: str
    shown: str


def _grid_of(table: str) -> _Grid:
    """The grid that shows a table: a new one where the table was not made by editing its cells."""
    grid: _Grid | None = st.session_state.get("toy-grid")
    if grid is None or grid.shown != table or grid.key not in st.session_state:
        count = st.session_state["toy-grids"] = st.session_state.get("toy-grids", 0) + 1
        grid = st.session_state["toy-grid"] = _Grid(f"toy-table:{count}", table, table)
    return grid


def _take_cells() -> None:
    """Use the table with the edited cells; where it is refused, the next grid shows the present one."""
    grid: _Grid = st.session_state["toy-grid"]
    table = edited(*read_table(grid.given), st.session_state[grid.key]["edited_rows"])
    taken = take_table(table)
    st.session_state["toy-grid"] = replace(grid, shown=table if taken else "")


def take_table(table: str) -> bool:
    """Use a table, or say why it is not allowed and keep the present one."""
    try:
        Decoding.model_validate({"decoding_toy": table})
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        st.session_state["rejected"] = [f"The table is not changed. {reason}"]
        return False
    state.dismiss()
    state.look(decoding_toy=table)
    return True


def edited(words: tuple[str, ...], weights: np.ndarray, rows: Mapping[int, Mapping[str, object]]) -> str:
    """The table with the cells that were edited; an emptied cell is 0."""
    columns = {name: k for k, name in enumerate((*words, EOS))}
    found = weights.copy()
    for row, cells in rows.items():
        for column, value in cells.items():
            found[int(row), columns[column]] = 0.0 if value is None else float(str(value))
    return write_table(words, found)


def resized(words: tuple[str, ...], weights: np.ndarray, names: list[str]) -> str:
    """The table for other words: what had the same place keeps its weights, a new word leads to <eos>."""
    size, kept = len(names), min(len(names), len(words))
    found = np.zeros((size + 1, size + 1))
    found[: kept + 1, :kept] = weights[: kept + 1, :kept]
    found[: kept + 1, -1] = weights[: kept + 1, -1]
    found[kept + 1 :, -1] = 1.0
    lost = found.sum(axis=1) == 0
    found[lost, -1] = 1.0
    return write_table(tuple(names), found)
