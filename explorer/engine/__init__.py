"""The only time loops: forward, backward, Jacobian products, sweeps."""
