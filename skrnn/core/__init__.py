"""The engine: cells, layers, networks and their training on NumPy alone. No estimator is needed to use it."""
