"""Random networks that are drawn many times: how gradients grow from draw to draw and layer to layer."""
