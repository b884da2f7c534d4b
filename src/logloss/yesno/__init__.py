"""Several yes/no labels for each row."""
