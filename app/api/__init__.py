"""REST over HTTP: one file per resource, each parse → call one thing → shape the reply."""
