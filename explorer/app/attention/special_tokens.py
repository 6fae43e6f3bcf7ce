"""‹bos› and ‹eos›: their switches, and what is said where one of them is off."""

from __future__ import annotations

import streamlit as st

from explorer.app import controls
from explorer.app.attention_choices import AttentionChoices


def special_tokens() -> None:
    """Both switches beside each other."""
    for column, name in zip(st.columns(2), ("attn_bos", "attn_eos"), strict=True):
        with column:
            controls.view_control(name)


def special_words(view: AttentionChoices, tokens: int) -> str:
    """What a decoder that says ``tokens`` tokens does without ‹bos› or ‹eos›; empty where it has both."""
    parts = []
    if not view.attn_bos:
        parts.append("The decoder's first input is a vector of zeros.")
    if not view.attn_eos:
        count = f"{tokens} token" if tokens == 1 else f"{tokens} tokens"
        parts.append(f"Without ‹eos› it cannot stop by itself: it is stopped from outside after {count}.")
    return " ".join(parts)
