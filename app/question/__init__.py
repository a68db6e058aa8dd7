"""What is asked: a question without its courtesy, on its own, of what kind. Pure; knows nothing of documents."""
