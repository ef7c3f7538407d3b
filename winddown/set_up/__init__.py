"""The beginning of a programme from one file, and later changes of what the file said."""
