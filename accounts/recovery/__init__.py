"""How somebody who cannot sign in gets in again."""
