"""The smallest Streamlit app with a slider and a chart: no Streamlit page is faster (see page.py)."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

scale = st.slider("weight scale", 0.0, 4.0, 1.0, step=0.01)
angle = np.linspace(0, 6, 100)
figure = go.Figure(go.Scatter(x=angle, y=scale * np.sin(angle)))
figure.update_yaxes(range=[-4, 4])
st.plotly_chart(figure)
