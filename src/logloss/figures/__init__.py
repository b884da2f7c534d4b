"""Figures of results: every subject has a module, drawn by matplotlib, which is imported when something is drawn."""
