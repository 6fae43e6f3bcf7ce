"""A page of several sections of which one is open: its picture first, then the menu, then its sidebar."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

import streamlit as st

from explorer.app import controls, sections, state
from explorer.app.panel import copy_link_button


def page_of(choice: str, parts: Mapping[str, ModuleType]) -> None:
    """The page whose open section is the field ``choice`` of the view.

    ``parts`` has a module for each value of that field, with ``picture()`` and ``side_bar()``.
    """
    state.begin()
    state.mark_drawn()
    section = parts[getattr(state.view(), choice)]
    head, body = st.container(), st.container()
    with body:  # first, so that the picture need not wait for the controls
        section.picture()
    with head:
        sections.notices()
        menu, link = st.columns([6, 1], vertical_alignment="bottom")
        with menu:
            controls.view_pills(choice)
        with link:
            copy_link_button("copy-link")
    with st.sidebar:
        section.side_bar()
