"""The pages of console and portal, and what the apps add to them."""
