"""Learning: from the gradient picture to what the network can learn, and clipping."""

from __future__ import annotations

from explorer.app.learning import SECTIONS
from explorer.app.section_page import page_of

page_of("learning", SECTIONS)
