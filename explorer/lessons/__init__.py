"""What a lecture needs besides pictures: presets with predictions, equations, explanations."""
