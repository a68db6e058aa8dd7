"""The search of a collection: what may be found, by which plan, in which order."""
