"""What to do with probabilities: utilities to actions, thresholds, what better calibration is worth."""
