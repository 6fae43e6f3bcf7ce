"""Decoding: how words are chosen in the end, and how sentences are scored."""

from __future__ import annotations

from explorer.app.decoding import SECTIONS
from explorer.app.section_page import page_of

page_of("decoding", SECTIONS)
