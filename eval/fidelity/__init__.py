"""Files made to see how much of a text each parser keeps, in order, and what it adds to it."""
