"""The person's settings: one experiment, pinned ones beside it, how they look at it; session ↔ URL.

The experiment in the session is the only truth. Controls show it, their callbacks replace it, and every
replacement is written to the address, so that the address always gives the same picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from pydantic import ValidationError

from explorer.app.view import View
from explorer.experiment import Experiment
from explorer.link import from_query, to_query

MAX_PINS = 4
_MAX_UNDO = 50
_MAX_SPANS = 100


def begin() -> None:
    """Read the address when the session starts, and again when it was changed from outside."""
    if st.session_state.get("address") != _address():
        _load()


def visit(page: str) -> None:
    """Keep all settings when another page is opened from the menu, which empties the address."""
    moved = st.session_state.get("page", page) != page
    st.session_state["page"] = page
    if moved and "experiment" in st.session_state and not st.query_params:
        _write()


def experiment() -> Experiment:
    """The current experiment."""
    current: Experiment = st.session_state["experiment"]
    return current


def view() -> View:
    """How the person looks at it."""
    current: View = st.session_state["view"]
    return current


def pins() -> list[Experiment]:
    """Pinned experiments, drawn as ghost curves."""
    found: list[Experiment] = st.session_state["pins"]
    return found


def rejected() -> list[str]:
    """What the address asked for and did not get."""
    sentences: list[str] = st.session_state["rejected"]
    return sentences


def span(picture: str) -> tuple[float, float] | None:
    """The y range of all the knob's values in a picture, if known: the axis rests while the knob moves."""
    known: dict[str, tuple[float, float]] = st.session_state.setdefault("spans", {})
    return known.get(picture)


def remember_span(picture: str, span: tuple[float, float]) -> None:
    """Keep the y range of a picture; the oldest of a hundred goes."""
    known = st.session_state["spans"]
    known[picture] = span
    if len(known) > _MAX_SPANS:
        del known[next(iter(known))]


def mark_drawn() -> None:
    """The whole page is being drawn for the present settings."""
    st.session_state["drawn"] = (experiment(), pins())


def outdated() -> bool:
    """Whether settings changed since the controls were drawn."""
    return bool(st.session_state["drawn"] != (experiment(), pins()))


def dismiss() -> None:
    """The sentences on rejected parts of the address have been read."""
    st.session_state["rejected"] = []


def replace(new: Experiment) -> None:
    """Take another experiment; the present one can be had back by ``undo``."""
    _take(new, pins())


def _take(new: Experiment, pinned: list[Experiment]) -> None:
    """Experiment and pins as they shall be from now on; what was is remembered if it differs."""
    before = (experiment(), pins())
    if before != (new, pinned):
        st.session_state["history"] = [*st.session_state["history"], before][-_MAX_UNDO:]
        st.session_state.update(experiment=new, pins=pinned)
    _write()


def change(path: str, value: Any) -> None:
    """Change one setting; a value that is not allowed leaves everything as it is and is named."""
    try:
        replace(experiment().changed(path, value))
    except ValidationError as error:
        problem = error.errors()[0]["msg"].removeprefix("Value error, ")
        shown = str(value)[:40] or "(nothing)"
        st.session_state["rejected"] = [f"{path} = {shown} is not allowed: {problem}."]


def look(**changes: Any) -> None:
    """Change how the person looks at the experiment."""
    st.session_state["view"] = view().model_copy(update=changes)
    _write()


def undo() -> None:
    """Back to the experiment and the pins before the last change."""
    *earlier, (old, pinned) = st.session_state["history"]
    st.session_state.update(history=earlier, experiment=old, pins=pinned)
    _write()


def can_undo() -> bool:
    """Whether there is something to go back to."""
    return bool(st.session_state["history"])


def reset(start: Experiment | None = None) -> None:
    """The default experiment, or another one to start from, in the default view without pins."""
    st.session_state["view"] = View()
    _take(start or Experiment(), [])


def pin() -> None:
    """Keep the current experiment as a ghost curve; the oldest of more than four goes."""
    if experiment() not in pins():
        _take(experiment(), [*pins(), experiment()][-MAX_PINS:])


def unpin(index: int) -> None:
    """Let one ghost curve go."""
    _take(experiment(), [kept for k, kept in enumerate(pins()) if k != index])


def _load() -> None:
    """Experiment, pins and view from the address; whatever is wrong in it is named and kept out."""
    query = st.query_params
    pairs = [(name, value) for name in query if name != "pin" for value in query.get_all(name)]
    current, sentences = from_query(urlencode(pairs))
    pinned: list[Experiment] = []
    asked = query.get_all("pin")
    for number, text in enumerate(asked[:MAX_PINS], start=1):
        ghost, problems = from_query(text)
        if not problems or ghost != Experiment():
            pinned.append(ghost)
        sentences += [f"Pinned curve {number}: {problem}" for problem in problems]
    if len(asked) > MAX_PINS:
        sentences.append(f"The address pins {len(asked)} curves; the first {MAX_PINS} are drawn.")
    seen, problems = View.from_query({name: query[name] for name in query})
    st.session_state.update(
        experiment=current,
        pins=pinned,
        view=seen,
        rejected=sentences + problems,
        history=[],
        address=_address(),
    )
    _write()


def _write() -> None:
    """Put everything that is not a default into the address."""
    parts: Mapping[str, Any] = _pairs(to_query(experiment())) | view().to_pairs()
    if pins():
        parts = {**parts, "pin": [to_query(ghost) for ghost in pins()]}
    if st.query_params.to_dict() != parts or st.query_params.get_all("pin") != parts.get("pin", []):
        st.query_params.from_dict(parts)
    st.session_state["address"] = _address()


def _pairs(query: str) -> dict[str, Any]:
    return dict(parse_qsl(query, keep_blank_values=True))


def _address() -> str:
    """The present query, in a form that can be compared."""
    return repr([(name, st.query_params.get_all(name)) for name in sorted(st.query_params)])
