"""Transfers for the tests: a fixed remitter and strategies over everything a file may hold."""

from __future__ import annotations

from hypothesis import strategies as st

from refunds.bankfiles.transfer_items import Remitter, TransferItem

REMITTER = Remitter(
    code="0123456789",
    name="ｶ)ﾃｽﾄﾍﾟｲ",
    bank_code="0001",
    bank_name="ﾐｽﾞﾎ",
    branch_code="001",
    branch_name="ﾄｳｷﾖｳｴｲｷﾞﾖｳﾌﾞ",
    account_type="1",
    account_number="1234567",
)
CHARACTERS = "".join(chr(code) for code in range(0xFF71, 0xFFA0)) + "ABCXYZ0189()-."


def digits(width: int) -> st.SearchStrategy[str]:
    return st.text(alphabet="0123456789", min_size=width, max_size=width)


def names(*, bytes_min: int, bytes_max: int) -> st.SearchStrategy[str]:
    """Bank text without a space at either end, of this many bytes."""
    return (
        st.text(alphabet=CHARACTERS + " ", min_size=bytes_min, max_size=bytes_max)
        .map(lambda drawn: drawn.strip(" "))
        .filter(lambda drawn: len(drawn) >= bytes_min)
    )


def _numbered(parts: tuple[list[int], list[TransferItem]]) -> list[TransferItem]:
    numbers, items = parts
    return [
        item._replace(reference=str(number))
        for number, item in zip(sorted(numbers), items, strict=True)
    ]


ITEM = st.builds(
    TransferItem,
    bank_code=digits(4),
    bank_name=names(bytes_min=0, bytes_max=15),
    branch_code=digits(3),
    branch_name=names(bytes_min=0, bytes_max=15),
    account_type=st.sampled_from("1249"),
    account_number=digits(7),
    payee_kana=names(bytes_min=1, bytes_max=30),
    amount_minor=st.integers(1, 9_999_999_999),
    reference=st.just("1"),
    new_code=st.sampled_from("012"),
)
ITEMS = st.integers(1, 8).flatmap(
    lambda size: st.tuples(
        st.lists(st.integers(1, 10**20 - 1), min_size=size, max_size=size, unique=True),
        st.lists(ITEM, min_size=size, max_size=size),
    ).map(_numbered)
)


def item(number: int, *, amount_minor: int = 514) -> TransferItem:
    """A plain transfer with this payout number."""
    return TransferItem(
        bank_code="0009",
        bank_name="ﾐﾂｲｽﾐﾄﾓ",
        branch_code="219",
        branch_name="ｷﾞﾝｻﾞ",
        account_type="1",
        account_number="7654321",
        payee_kana="ｷﾕｳﾖ ｲﾁﾛｳ",
        amount_minor=amount_minor,
        reference=str(number),
    )
