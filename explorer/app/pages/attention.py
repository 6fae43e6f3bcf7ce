"""Attention: where the gradient of a decoder step goes in the encoder, with and without the shortcut."""

from __future__ import annotations

from explorer.app.attention import SECTIONS
from explorer.app.section_page import page_of

page_of("attention", SECTIONS)
