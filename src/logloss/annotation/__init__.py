"""Labels that are missing, labels that look wrong."""
