"""Persons above accounts: found by equal signals, and merged by two people."""
