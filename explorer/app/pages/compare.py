"""Compare architectures: the same input and seed through up to eight networks."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.app import choices, compare_choices, compare_sections, sections, state
from explorer.app.compare_choices import Contender
from explorer.app.compare_picture import compared_figures
from explorer.app.panel import copy_link_button, panel
from explorer.lessons.architectures import chosen

KEY = "compare"


def curves(contenders: Sequence[Contender]) -> bool:
    """All figures; True once they are drawn and nothing moves any more."""
    num_steps = contenders[0].experiment.num_steps
    cursor = min(state.view().cursor, num_steps)
    return panel(
        compared_figures(contenders, compare_choices.drawn_of(contenders), cursor),
        num_steps=num_steps,
        cursor=cursor,
        key=KEY,
        token="|".join(one.experiment.canonical() for one in contenders),
        on_cursor=lambda step: state.look(cursor=step),
    ).rests


@st.fragment
def picture() -> None:
    """Selection, table and figures; choosing and moving the time cursor run this part alone."""
    said = st.container()
    left, right = st.columns([2, 3], gap="medium")
    place = st.container()
    taken, sentences = chosen(state.view().architectures)
    contenders, refused = compare_choices.contenders_of(taken)
    rests = False
    if contenders:
        with place:  # first, so that the curves need not wait for menus and table
            rests = curves(contenders)
    with left:  # before the table, which measures run times for a second: an open menu must not be made anew
        compare_choices.selection(taken)
        if contenders:
            compare_choices.drawn_menu(contenders)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            choices.view_widget("matched", state.view().matched, st.toggle)
            copy_link_button("copy-link")
    if contenders:
        with right:
            compare_sections.table(contenders, rests)
    for sentence in sentences + refused:
        said.warning(sections.literal(sentence), icon="⚠️")
    compare_sections.notes(contenders)
    compare_sections.questions(contenders)


state.begin()
state.mark_drawn()
sections.notices()
picture()
compare_sections.side_bar()  # last, so that the picture need not wait for the controls
