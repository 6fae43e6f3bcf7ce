"""Texts on the screen: exactly one sentence each, checked when they are loaded."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator


def one_sentence(text: str) -> str:
    """The text without surrounding spaces; raises ValueError unless it is one sentence with its end mark."""
    text = text.strip()
    if not text.endswith((".", "?")):
        raise ValueError(f"a sentence must end with '.' or '?': {text!r}")
    if "\n" in text or re.search(r"[.?!]\s+[A-Z∂‖]", text[:-1]):
        raise ValueError(f"there must be exactly one sentence: {text!r}")
    return text


Sentence = Annotated[str, AfterValidator(one_sentence)]


def read_toml(name: str) -> dict[str, Any]:
    """The tables of a data file of this package."""
    return tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
