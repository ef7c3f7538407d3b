"""Amounts for people: only this module converts integer minor units to text."""

from __future__ import annotations

from babel.numbers import get_currency_precision


def spoken(amount_minor: int, *, currency: str, locale: str) -> str:
    """Returns `12345` minor units as "12,345円", "JPY 12,345" or "EUR 123.45"; the sign comes first."""
    exponent = get_currency_precision(currency)
    whole, rest = divmod(abs(amount_minor), 10**exponent)
    sign = "-" if amount_minor < 0 else ""
    digits = f"{whole:,}" + (f".{rest:0{exponent}d}" if exponent else "")
    if currency == "JPY" and locale.startswith("ja"):
        return f"{sign}{digits}円"
    return f"{sign}{currency} {digits}"


def split(total_minor: int, weights: list[int]) -> list[int]:
    """Returns `total_minor` divided in proportion to `weights`, without losing a unit (largest
    remainders get the rest).
    """
    whole = sum(weights)
    if whole <= 0:
        raise ValueError("the weights must have a positive sum")
    parts = [total_minor * weight // whole for weight in weights]
    by_remainder = sorted(
        range(len(weights)), key=lambda index: (-(total_minor * weights[index] % whole), index)
    )
    for index in by_remainder[: total_minor - sum(parts)]:
        parts[index] += 1
    return parts
