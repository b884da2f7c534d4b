"""Maps as code that needs no logloss: a NumPy function, SQL."""
