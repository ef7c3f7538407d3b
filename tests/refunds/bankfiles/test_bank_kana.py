"""Text is sent to the bank in the bank's own characters, or it is refused."""

from __future__ import annotations

import re
import unicodedata

import jaconv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refunds.bankfiles.kana import UnbankableText, fits, is_bank_text, to_bank_kana

KANA = "".join(chr(code) for code in range(0x30A1, 0x30F5)) + "ー・"
HIRAGANA = "".join(chr(code) for code in range(0x3041, 0x3095))
HALF_WIDTH = "".join(chr(code) for code in range(0xFF66, 0xFFA0))
LATIN = "ABCXYZabcxyz0189ＡＺａｚ０９()-.（）－．"
TYPED = st.text(alphabet=KANA + HIRAGANA + HALF_WIDTH + LATIN + " 　", max_size=40)


def reference(text: str) -> str | None:
    """The measured normaliser, step by step over the whole string. Returns None if it refuses."""
    result = jaconv.hira2kata(unicodedata.normalize("NFKC", text))
    result = jaconv.enlarge_smallkana(result)
    for old, new in zip("ヮヲヰヱ", "ワオイエ", strict=True):
        result = result.replace(old, new)
    result = re.sub("[‐‑‒–—―−─━ー]", "-", result).replace("・", ".")
    for composed, kana in zip("ヷヸヹヺ", "ワイエオ", strict=True):
        result = result.replace(composed, f"{kana}ﾞ")
    # A sound mark that found no kana to combine with stays a combining character after NFKC.
    result = jaconv.z2h(result, kana=True).replace("\u3099", "ﾞ").replace("\u309a", "ﾟ").upper()
    result = re.sub(" +", " ", result).strip(" ")
    return result if re.fullmatch(r"[ｱ-ﾝﾞﾟ0-9A-Z()\-. ]*", result) else None


def is_bankable(character: str) -> bool:
    try:
        to_bank_kana(character)
    except UnbankableText:
        return False
    return True


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("キュウヨ　イチロウ", "ｷﾕｳﾖ ｲﾁﾛｳ"),
        ("メアリー ジェーン", "ﾒｱﾘ- ｼﾞｴ-ﾝ"),
        ("きゃっしゅ", "ｷﾔﾂｼﾕ"),
        ("ﾀﾅｶ ﾀﾛｳ", "ﾀﾅｶ ﾀﾛｳ"),
        ("ヴァイオリン", "ｳﾞｱｲｵﾘﾝ"),
        ("か\u3099", "ｶﾞ"),
        ("パ゜", "ﾊﾟﾟ"),
        ("ヲヰヱヮ", "ｵｲｴﾜ"),
        ("スミス・ジョン", "ｽﾐｽ.ｼﾞﾖﾝ"),
        ("ｓmith　　（2）", "SMITH (2)"),
        ("カ）テスト", "ｶ)ﾃｽﾄ"),
        ("  ", ""),
        ("", ""),
    ],
)
def test_typed_text_becomes_the_banks_characters(typed: str, sent: str) -> None:
    """Rule 47."""
    assert to_bank_kana(typed) == sent


def test_a_name_becomes_exactly_the_banks_bytes() -> None:
    """Rule 47."""
    assert to_bank_kana("キュウヨ　イチロウ").encode("cp932") == bytes.fromhex(
        "B7 D5 B3 D6 20 B2 C1 DB B3"
    )
    assert len(to_bank_kana("メアリー ジェーン").encode("cp932")) == 10


@pytest.mark.parametrize(
    ("typed", "characters"),
    [
        ("山田 タロウ", ("山", "田")),
        ("O'BRIEN", ("'",)),
        ("タ,ロ/ウ,", (",", "/")),
        ("カ\nナ", ("\n",)),
        ("カ\tナ", ("\t",)),
        ("José", ("é",)),
        ("㈱テスト", ("㈱",)),
        ("一ノセ", ("一",)),
        ("=タロウ", ("=",)),
        ("ス〜ザン", ("〜",)),
    ],
)
def test_characters_that_the_network_cannot_carry_are_refused_by_name(
    typed: str, characters: tuple[str, ...]
) -> None:
    """Rule 47."""
    with pytest.raises(UnbankableText) as refusal:
        to_bank_kana(typed)
    assert refusal.value.characters == characters


def test_the_refusal_keeps_the_name_out_of_its_message() -> None:
    """Rule 65."""
    with pytest.raises(UnbankableText) as refusal:
        to_bank_kana("山田")
    assert str(refusal.value) == "2 characters the bank network cannot carry"


@given(TYPED)
def test_every_text_agrees_with_the_measured_normaliser(typed: str) -> None:
    """Rule 47."""
    expected = reference(typed)
    if expected is None:
        with pytest.raises(UnbankableText):
            to_bank_kana(typed)
    else:
        assert to_bank_kana(typed) == expected


@given(st.text(max_size=30))
def test_any_text_becomes_single_byte_bank_text_or_is_refused_by_name(typed: str) -> None:
    """Rule 47."""
    try:
        result = to_bank_kana(typed)
    except UnbankableText as error:
        result, refused = "", error.characters
    else:
        refused = ()
    assert set(refused) <= set(typed)
    assert bool(refused) == any(not is_bankable(character) for character in typed)
    assert is_bank_text(result)
    assert len(result.encode("cp932")) == len(result)
    assert to_bank_kana(result) == result


def test_every_character_of_the_plane_agrees_with_the_measured_normaliser() -> None:
    """Rule 47: one character at a time, so that every block of Unicode is tested."""
    differing = []
    for code in range(0x10000):
        character = chr(code)
        if 0xD800 <= code < 0xE000:  # surrogates are no characters
            continue
        try:
            result: str | None = to_bank_kana(character)
        except UnbankableText:
            result = None
        if result != reference(character):
            differing.append((hex(code), result, reference(character)))
    # Small kana and dashes that the measured steps do not know are carried; letters that capital
    # letters would replace by other ones (ß, ı) are refused.
    carried = {code for code, result, _ in differing if result is not None}
    refused = {code for code, result, _ in differing if result is None}
    assert carried == {hex(code) for code in (*range(0x31F0, 0x3200), 0x2043, 0x2E3A)}
    assert refused == {"0xdf", "0x131"}


def test_a_long_name_is_cut_to_thirty_bytes_and_flagged() -> None:
    """Rule 48."""
    cut = fits("ガ" * 16)
    assert (cut.text, cut.truncated) == ("ｶﾞ" * 15, True)
    assert fits("ガ" * 15) == ("ｶﾞ" * 15, False)


def test_a_name_cut_at_a_space_ends_without_a_space() -> None:
    """Rule 48."""
    assert fits("アイウエ オカ", bytes_max=5) == ("ｱｲｳｴ", True)
