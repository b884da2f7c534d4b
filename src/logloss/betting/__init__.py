"""Bets on which of two forecasts is better, looked at after every row: anytime-valid tests."""
