"""The report: one page that says what the log loss is, why, and what to do."""
