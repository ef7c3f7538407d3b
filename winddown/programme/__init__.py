"""What staff do with the programme: its stages, switches, notice and deadlines."""
