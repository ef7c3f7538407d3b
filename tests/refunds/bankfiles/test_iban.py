"""IBAN by ISO 13616: one written form, a length by country, and check digits."""

from __future__ import annotations

import pytest

from refunds.bankfiles import iban
from refunds.bankfiles.iban import IbanRefused

# The examples of the registry.
EXAMPLES = [
    "DE89370400440532013000",
    "GB29NWBK60161331926819",
    "FR1420041010050500013M02606",
    "MT84MALT011000012345MTLCAST001S",
    "NO9386011117947",
]


@pytest.mark.parametrize("number", EXAMPLES)
def test_the_registrys_examples_are_taken_in_any_writing(number: str) -> None:
    for typed in (number, number.lower(), iban.in_groups(number), f" IBAN {number} "):
        assert iban.canonical(typed) == number
    assert iban.is_canonical(number)
    assert not iban.is_canonical(number.lower())


@pytest.mark.parametrize("number", EXAMPLES)
def test_any_single_wrong_or_swapped_character_is_noticed(number: str) -> None:
    for at, character in enumerate(number):
        other = "1" if character == "0" else "0" if character.isdigit() else "X"
        for wrong in (
            number[:at] + other + number[at + 1 :],
            number[: at - 1] + character + number[at - 1] + number[at + 1 :]
            if at
            else number + "0",
        ):
            assert wrong == number or not iban.is_canonical(wrong), wrong


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "two letters"),
        ("1234567", "two letters"),
        ("DE8937040044053201300", "an IBAN of DE has 22 characters"),
        ("DE88370400440532013000", "check digits"),
        ("ＤＥ89370400440532013000", "two letters"),
        ("DE89" + "0" * 40, "two letters"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_nothing_of_the_number(typed: str, why: str) -> None:
    with pytest.raises(IbanRefused, match=why) as refused:
        iban.canonical(typed)
    assert not typed or typed[4:] not in str(refused.value) or len(typed) < 5
