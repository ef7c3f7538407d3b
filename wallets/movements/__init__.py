"""The only functions that move money into and out of wallets."""
