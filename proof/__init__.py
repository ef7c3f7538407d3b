"""The long forms of the tests, and the record of their last results."""
