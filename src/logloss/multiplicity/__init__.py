"""Many forecasts at once: bands that hold together, the set that holds the best."""
