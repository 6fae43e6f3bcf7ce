"""The networks that a session trains: one race of each kind for each open page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.app import cache
from explorer.training.runs import OneRun, Race


def started(plans: Sequence[Any], kind: str = "") -> Race[Any] | None:
    """The runs of exactly these settings, if this session started them."""
    race = cache.runs().of(_session(), kind)
    return race if race is not None and [run.recipe for run in race.runs] == list(plans) else None


def start(runs: Sequence[OneRun], kind: str = "") -> None:
    """Train these networks; those of this kind that the session trained before are ended."""
    cache.runs().start(_session(), runs, kind)


def _session() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""
