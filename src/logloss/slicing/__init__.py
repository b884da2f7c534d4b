"""Where in the data the loss is."""
