"""Whose money is whose: the value of a wallet, traced through its movements by the rules in force."""
