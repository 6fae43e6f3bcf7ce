"""Regimes: where the gradient vanishes, survives or explodes, with theory and measurement in one picture."""

from __future__ import annotations

from explorer.app.regimes import SECTIONS
from explorer.app.section_page import page_of

page_of("regime", SECTIONS)
