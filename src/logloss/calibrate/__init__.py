"""Better probabilities after the fact: maps fitted to saved predictions."""
