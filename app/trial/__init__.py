"""A second embedding space on trial: the questions, what counts as found, and whether a difference is more than chance.

`pgask spaces evaluate` and `rag-eval` judge by the same rules, which stand here.
"""
