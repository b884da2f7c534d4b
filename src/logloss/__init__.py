"""Log loss."""
