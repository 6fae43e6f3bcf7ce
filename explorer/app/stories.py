"""Stories: a few choices of the view that one button sets, and the question that they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.app import state


@dataclass(frozen=True)
class Story:
    """Choices that one button sets, and the question they answer."""

    label: str
    question: str
    choices: dict[str, Any]


def story_of(stories: Mapping[str, Story]) -> str | None:
    """The story whose choices are those of the view."""
    chosen = state.view().model_dump()
    return next((name for name, story in stories.items() if story.choices.items() <= chosen.items()), None)


def story_buttons(stories: Mapping[str, Story], own_question: str = "") -> None:
    """A button for each story; ``own_question``, if any, stands beside them where none is told."""
    shown = story_of(stories)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for name, story in stories.items():
            st.button(
                story.label,
                key=f"story:{name}",
                type="primary" if name == shown else "secondary",
                on_click=state.look,
                kwargs=story.choices,
                help=story.question,
            )
        if own_question:
            st.caption(own_question if shown is None else f"**{stories[shown].question}**", width="stretch")
