"""Who may do what, who signed what, and who answers for a command."""
