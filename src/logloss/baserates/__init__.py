"""Base rates: undone, shifted, estimated."""
