"""Compare architectures: the same input and seed through up to eight networks."""

from __future__ import annotations

import streamlit as st

from explorer.app import choices, compare_choices, compare_sections, sections, state
from explorer.app.compare_picture import compared_figures
from explorer.app.panel import copy_link_button, panel

KEY = "compare"


@st.fragment
def picture() -> None:
    """Selection, table and figures; choosing and moving the time cursor run this part alone."""
    said = st.container()
    left, right = st.columns([2, 3], gap="medium")
    with left:
        taken, sentences = compare_choices.selection()
    contenders, refused = compare_choices.contenders_of(taken)
    for sentence in sentences + refused:
        said.warning(sections.literal(sentence), icon="⚠️")
    if not contenders:
        return
    with left:
        drawn = compare_choices.drawn_menu(contenders)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            choices.view_widget("matched", state.view().matched, st.toggle)
            copy_link_button("copy-link")
    num_steps = contenders[0].experiment.num_steps
    cursor = min(state.view().cursor, num_steps)
    result = panel(
        compared_figures(contenders, drawn, cursor),
        num_steps=num_steps,
        cursor=cursor,
        key=KEY,
        token="|".join(one.experiment.canonical() for one in contenders),
        on_cursor=lambda step: state.look(cursor=step),
    )
    with right:
        compare_sections.table(contenders, result.rests)
    compare_sections.notes(contenders)
    compare_sections.questions(contenders)


state.begin()
state.mark_drawn()
sections.notices()
picture()
compare_sections.side_bar()  # last, so that the picture need not wait for the controls
