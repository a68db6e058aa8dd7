"""Side by side with other systems: what is found, how exactly it can be cited, what is refused, and how fast.

One command, `make compare`; see docs/results.md. `sides_ours.py` and `sides_rivals.py` are processes of one system
each and answer JSON lines; `scoring.py` judges all of them by one rule; `__main__.py` runs them and writes the page.
"""
