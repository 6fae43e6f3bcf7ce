"""Regimes: where the gradient vanishes, survives or explodes, with theory and measurement in one picture."""

from __future__ import annotations

import streamlit as st

from explorer.app import controls, sections, state
from explorer.app.panel import copy_link_button
from explorer.app.regimes import SECTIONS

state.begin()
state.mark_drawn()
section = SECTIONS[state.view().regime]
head, body = st.container(), st.container()
with body:  # first, so that the picture need not wait for the controls
    section.picture()
with head:
    sections.notices()
    menu, link = st.columns([6, 1], vertical_alignment="bottom")
    with menu:
        controls.view_pills("regime")
    with link:
        copy_link_button("copy-link")
with st.sidebar:
    section.side_bar()
