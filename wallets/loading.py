"""The files about stored value: wallets, funding cards, and the history of what moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db import connection

from accounts.loading import ACCOUNT
from wallets.models import FundingCard, Payment, TopUp, Wallet
from wallets.movements import histories
from winddown import locks
from winddown.actors import Actor
from winddown.errors import UnknownCapability
from winddown.loading.file_kinds import (
    REFUSED,
    ROWS,
    STAGED,
    FileKind,
    Reference,
    Rule,
    Unique,
    amount,
    choice,
    declare,
    declared_choice,
    instant,
    matching,
    ref,
    reference,
    text,
)
from winddown.locks import Lock
from winddown.models import Capability, FundingSource
from winddown.programme import declared

WALLET = Reference(
    table=Wallet._meta.db_table,
    key="wallet_ref",
    name="wallet",
    says="the wallet_ref of a loaded wallet",
    also=("state", "opened_at", "account_id"),
)
CARD = Reference(
    table=FundingCard._meta.db_table,
    key="card_ref",
    name="card",
    says="the card_ref of a loaded funding card",
    also=("funding", "account_id"),
)


def _quoted(states: Iterable[str]) -> str:
    """Returns the states as a list of SQL literals, because a declared rule takes no parameters."""
    return ", ".join(f"'{state}'" for state in states)


# Without a reference to the row, so that PostgreSQL reads the few sources once.
_CARD_SOURCES = (
    "FROM winddown_fundingsource f"
    f" WHERE f.kind IN ({_quoted(kind.value for kind in FundingSource.OF_CARDS)})"
)
RECORDED_TOP_UPS = (TopUp.State.POSTED.value, TopUp.State.AUTHORISED.value)
RECORDED_PAYMENTS = (Payment.State.POSTED.value, Payment.State.AUTHORISED.value)

WALLETS = declare(
    FileKind(
        name="wallets",
        title="Wallets",
        model=Wallet,
        key=("wallet_ref",),
        columns=(
            ref("wallet_ref", "the core system's key of the wallet"),
            reference(
                "account_ref", "the account that holds the wallet; each holds at most one", ACCOUNT
            ),
            instant("opened_at", "when the wallet was opened"),
        ),
        compared={"account_id": "e.account_id", "opened_at": "e.opened_at"},
        uniques=(
            Unique(("account_id",), shown="account_ref", reason="has another wallet already"),
        ),
        values={
            "wallet_ref": "r.wallet_ref",
            "account_id": "r.account_id",
            "opened_at": "r.opened_at",
        },
    )
)

CARD_COLUMNS = (
    ref("card_ref", "the core system's key of the card"),
    reference("account_ref", "the account that registered the card", ACCOUNT),
    text("issuer_code", "who issued it", length_max=20),
    text("brand", "the scheme printed on it", length_max=20),
    choice("funding", "whether it is a credit or a debit card", options=("credit", "debit")),
    matching(
        "card_token",
        "the issuer's or processor's token; never a card number",
        form="a token of letters, digits and . _ ~ : = + / -, without 13 to 19 digits in a row",
        length_max=64,
        # A run of as many digits is one of a card, whatever stands between them.
        pattern=r"(?!(?:[^,]*[A-Za-z])?[^A-Za-z0-9,]*(?:[0-9][^A-Za-z0-9,]*){13,19}(?:[A-Za-z,]|$))"
        r"[A-Za-z0-9._~:=+/-]+",
    ),
    matching(
        "bin",
        "the first digits, which name the issuer",
        form="six to eight digits",
        length_max=8,
        pattern="[0-9]{6,8}",
        bounded=True,
    ),
    matching(
        "last4",
        "the last four digits",
        form="four digits",
        length_max=4,
        pattern="[0-9]{4}",
        bounded=True,
    ),
    instant("registered_at", "when the card was registered"),
)
FUNDING_CARDS = declare(
    FileKind(
        name="funding_cards",
        title="Funding cards",
        model=FundingCard,
        key=("card_ref",),
        columns=CARD_COLUMNS,
        compared={
            "account_id": "e.account_id",
            "issuer_code": "e.issuer_code",
            "brand": "e.brand",
            "funding": "e.funding",
            "card_token": "e.card_token",
            "bin": "e.bin",
            "last4": "e.last4",
            "registered_at": "e.registered_at",
        },
        no_card_numbers_in=frozenset(column.name for column in CARD_COLUMNS),
        values={
            "card_ref": "r.card_ref",
            "account_id": "r.account_id",
            "issuer_code": "r.issuer_code",
            "brand": "r.brand",
            "funding": "r.funding",
            "card_token": "r.card_token",
            "bin": "r.bin",
            "last4": "r.last4",
            "registered_at": "r.registered_at",
        },
    )
)

# The history of a frozen wallet may still grow by earlier charges. Somebody has judged the balance
# of a wallet that is held, closing or later, so its history is complete.
MOVEMENT_RULES = (
    Rule(
        column="wallet_ref",
        breach=f"r.wallet_state NOT IN ({_quoted(Wallet.SPENDABLE)})",
        reason="format('is a wallet in state %s, whose history is complete', r.wallet_state)",
    ),
    Rule(
        column="occurred_at",
        breach="r.occurred_at < r.wallet_opened_at",
        reason="'lies before the wallet was opened'",
    ),
)


def _take_locks(switches: tuple[str, ...]) -> None:
    """The switches and the file's wallets are locked until the load commits. The order is that of
    every movement: the switch first, then the wallets by their ids.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code, id FROM winddown_capability WHERE code = ANY (%s) ORDER BY id",
            [list(switches)],
        )
        found = dict(cursor.fetchall())
        for code in switches:
            if code not in found:
                raise UnknownCapability(capability=code, hint="It was never declared.")
        for switch in found.values():
            locks.share(Lock.SWITCH, key=switch)
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM wallets_wallet WHERE wallet_ref IN"  # noqa: S608
            f" (SELECT wallet_ref FROM {STAGED}) ORDER BY id FOR NO KEY UPDATE) AS held"
        )


def _refuse_after_stop(code: str, *, what: str) -> None:
    """Every new row dated at or after the stop or the end of its switch is refused.

    `code` and `what` are SQL over the row `r`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {REFUSED}
            SELECT r.line, 'occurred_at', format('lies at or after the stop of %%s at %%s', {what},
                to_char(stop.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
            FROM {ROWS} r JOIN (
                SELECT c.code,
                       least(CASE WHEN c.state <> %s THEN c.since END, min(m.at)) AS at
                FROM winddown_capability c
                LEFT JOIN winddown_milestone m ON m.ends_capability = c.code
                GROUP BY c.id
            ) stop ON stop.code = {code}
            WHERE r.earlier_id IS NULL AND r.occurred_at >= stop.at
            """,  # noqa: S608
            [Capability.State.ENABLED],
        )


def _before_top_ups() -> None:
    _take_locks(tuple(f"top_up:{source}" for source in declared.sources()))


def _judge_top_ups() -> None:
    _refuse_after_stop("'top_up:' || r.source", what="'top-ups from ' || r.source")


def _record_top_ups(actor: Actor, progress: Callable[[int, int], None]) -> int:
    return histories.record_top_ups(ROWS, actor=actor, progress=progress)


TOP_UPS = declare(
    FileKind(
        name="top_ups",
        title="Top-ups",
        model=TopUp,
        key=("top_up_ref",),
        columns=(
            ref("top_up_ref", "the core system's key of the top-up"),
            reference("wallet_ref", "the wallet that was charged", WALLET),
            declared_choice(
                "source",
                "where the value came from",
                section="funding_sources",
                options=declared.sources,
            ),
            reference(
                "card_ref", "the card, when the source is one; else empty", CARD, required=False
            ),
            amount("amount_minor", "how much, in minor units"),
            instant("occurred_at", "when it happened; before the stop of its source"),
            choice(
                "state",
                "`posted`: the value is in the wallet; `authorised`: it is not there yet",
                options=RECORDED_TOP_UPS,
            ),
            text(
                "rrn", "retrieval reference number, of a card only", length_max=12, required=False
            ),
            text("auth_code", "authorisation code, of a card only", length_max=6, required=False),
            text("arn", "acquirer reference number, of a card only", length_max=30, required=False),
        ),
        compared={
            "wallet_id": "e.wallet_id",
            "source": "e.source",
            "card_id": "e.card_id",
            "amount_minor": "e.amount_minor",
            "occurred_at": "e.occurred_at",
            "rrn": "e.rrn",
            "auth_code": "e.auth_code",
            "arn": "e.arn",
            # Its state in the file. Since then it may have been posted or reversed here.
            "state": f"CASE WHEN e.state IN ({_quoted(TopUp.NOT_POSTED)}) OR EXISTS (SELECT"
            " FROM wallets_topuptransition l WHERE l.subject_id = e.id"
            f" AND l.source IN ({_quoted(TopUp.AWAITING_POSTING)}))"
            f" THEN '{TopUp.State.AUTHORISED}' ELSE '{TopUp.State.POSTED}' END",
        },
        no_card_numbers_in=frozenset({"card_ref", "rrn", "auth_code", "arn"}),
        rules=(
            *MOVEMENT_RULES,
            *(
                Rule(
                    column=column,
                    breach=f"r.{column} <> '' AND r.source NOT IN (SELECT f.code {_CARD_SOURCES})",
                    reason="format('must be empty for a top-up from %s', r.source)",
                )
                for column in ("card_ref", "rrn", "auth_code", "arn")
            ),
            Rule(
                column="card_ref",
                breach="r.card_id IS NOT NULL AND (r.source, r.card_funding) NOT IN"
                f" (SELECT f.code, split_part(f.kind, '_', 1) {_CARD_SOURCES})",
                reason="format('is a %s card, the source says %s', r.card_funding, r.source)",
            ),
            Rule(
                column="card_ref",
                breach="r.card_id IS NOT NULL AND r.card_account_id <> r.wallet_account_id",
                reason="'is a card of another account than the wallet''s'",
            ),
        ),
        before=_before_top_ups,
        judge=_judge_top_ups,
        record=_record_top_ups,
    )
)


def _before_payments() -> None:
    _take_locks(("spend",))


def _judge_payments() -> None:
    _refuse_after_stop("'spend'", what="'payments'")
    split = histories.split_payments(ROWS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {REFUSED}
            SELECT DISTINCT ON (s.wallet_id) s.line, 'amount_minor', format(
                'is more than the wallet had left at that time: %s minor units',
                s.available_minor)
            FROM {split} s WHERE s.is_short ORDER BY s.wallet_id, s.occurred_at, s.line
            """  # noqa: S608
        )


def _record_payments(actor: Actor, progress: Callable[[int, int], None]) -> int:
    return histories.record_payments(ROWS, actor=actor, progress=progress)


PAYMENTS = declare(
    FileKind(
        name="payments",
        title="Payments",
        model=Payment,
        key=("payment_ref",),
        columns=(
            ref("payment_ref", "the core system's key of the payment"),
            reference("wallet_ref", "the wallet that paid", WALLET),
            amount(
                "amount_minor", "how much, in minor units; bonus value is spent before paid value"
            ),
            text("merchant_ref", "who was paid", length_max=64),
            text("prefecture", "where", length_max=20, required=False),
            matching(
                "merchant_category",
                "what is sold there, by the codes of ISO 18245",
                form="a merchant category code of four digits",
                length_max=4,
                pattern="[0-9]{4}",
                bounded=True,
                required=False,
            ),
            instant("occurred_at", "when it happened; before the stop of spending"),
            choice(
                "state",
                "`posted`: the merchant is owed it; `authorised`: it is reserved",
                options=RECORDED_PAYMENTS,
            ),
        ),
        compared={
            "wallet_id": "e.wallet_id",
            "amount_minor": "e.amount_minor",
            "merchant_ref": "e.merchant_ref",
            "prefecture": "e.prefecture",
            "merchant_category": "e.merchant_category",
            "occurred_at": "e.occurred_at",
            "state": "CASE WHEN EXISTS (SELECT FROM wallets_journal j WHERE j.source = 'payment'"
            " AND j.source_id = e.id AND j.kind = 'reserve')"
            f" THEN '{Payment.State.AUTHORISED}' ELSE '{Payment.State.POSTED}' END",
        },
        rules=MOVEMENT_RULES,
        before=_before_payments,
        judge=_judge_payments,
        record=_record_payments,
    )
)
