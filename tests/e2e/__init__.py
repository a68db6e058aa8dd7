"""The served product from outside: real processes, a real database, the page in a real Chromium."""
