"""A section of a page in Streamlit's own test runner: opened at an address, and read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from streamlit.testing.v1 import AppTest

from explorer.app.view import View
from explorer.experiment import Experiment
from explorer.link import to_query
from tests.app.payload import open_groups

ROOT = Path(__file__).parents[2]


def open_section(
    page: str, groups: Sequence[str], experiment: Experiment | None = None, **choices: Any
) -> AppTest:
    """A new session that comes to the page with an experiment and these choices of the view."""
    at = open_groups(AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60), groups)
    settings = parse_qs(to_query(experiment), keep_blank_values=True) if experiment else {}
    at.query_params = settings | {f"view.{name}": [str(value)] for name, value in choices.items()}
    return healthy(at.switch_page(f"explorer/app/pages/{page}.py").run())


def healthy(at: AppTest) -> AppTest:
    """The same, if nothing is wrong on the page."""
    assert not at.exception, at.exception
    assert not at.error, at.error[0].value
    return at


def widget(at: AppTest, name: str) -> Any:
    """The control of a field of the view, or that with this key."""
    boxes = (
        at.selectbox,
        at.button_group,
        at.toggle,
        at.number_input,
        at.text_input,
        at.text_area,
        at.button,
    )
    kinds = (at.slider, at.select_slider, *boxes)
    keys = (f"view:{name}", name)
    return next(item for kind in kinds for item in kind if item.key in keys)


def view(at: AppTest) -> View:
    """What the session has chosen."""
    found: View = at.session_state["view"]
    return found


def sentence(at: AppTest) -> str:
    """What stands above the figures."""
    return next(item.value for item in at.markdown if "**" in item.value)
