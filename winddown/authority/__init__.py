"""Who may do what, who signed what, and who is responsible for a command."""
