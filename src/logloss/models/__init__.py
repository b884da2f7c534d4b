"""Models that are fitted and judged by log loss."""
