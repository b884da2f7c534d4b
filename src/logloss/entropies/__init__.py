"""Entropy and Kullback-Leibler divergence: of distributions, soft outcomes, repeated forecasts."""
