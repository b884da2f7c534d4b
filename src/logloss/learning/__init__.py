"""A page to learn from: what log loss is, with pictures to play with."""
