"""Does A really beat B: paired differences of several forecasts of the same rows, and how sure each is."""
