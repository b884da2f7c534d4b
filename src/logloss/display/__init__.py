"""Results in a notebook and in markdown: what is shown, how it is laid out, pictures, pages in a frame."""
