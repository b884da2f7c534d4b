"""Curves: reliability with its bands, and who carries the loss."""
