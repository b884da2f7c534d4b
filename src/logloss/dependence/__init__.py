"""Mean differences of rows that are not independent: points in time, folds of a cross-validation."""
