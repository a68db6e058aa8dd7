"""The vector index of a space: its manifest, build, recall and care."""
