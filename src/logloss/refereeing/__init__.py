"""Hypotheses fitted and judged by rows that they have not seen: cross-validation as the referee."""
