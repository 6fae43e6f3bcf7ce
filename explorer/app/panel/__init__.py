"""The dashboard's figure panel: linked Plotly figures that live in the browser."""

from explorer.app.panel.copy_link import copy_link_button
from explorer.app.panel.linked import PanelFigure, PanelResult, Scrub, frames, panel

__all__ = ["PanelFigure", "PanelResult", "Scrub", "copy_link_button", "frames", "panel"]
