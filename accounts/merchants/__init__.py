"""The notice to merchants: how it leaves, and who has confirmed it."""
