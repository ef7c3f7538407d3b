"""What staff do about the programme: its stages, its switches, its notice, its deadlines."""
