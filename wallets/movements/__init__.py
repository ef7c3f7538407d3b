"""The only verbs that move money."""
