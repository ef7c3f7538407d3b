"""The generated case holds every published figure to the unit, at any size and with any seed."""

import hashlib
import json
import re
from collections import defaultdict
from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from rehearsal.case import Case
from rehearsal.generator import generate_case
from tests.conftest import in_long_form
from tests.rehearsal.generated import Generated, at, closing_balances

# Accounts and seed. The proof takes each number of accounts with each seed.
CASES = [(2_000, 1), (2_000, 2), (5_000, 3)]
CASES_OF_THE_PROOF = [(2_000, 1), (2_000, 2), (2_000, 3), (5_000, 1), (5_000, 2), (5_000, 3)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "generated" in metafunc.fixturenames:
        cases = CASES_OF_THE_PROOF if in_long_form(metafunc.config) else CASES
        names = [f"{accounts}-seed{seed}" for accounts, seed in cases]
        metafunc.parametrize("generated", cases, ids=names, indirect=True, scope="module")


@pytest.fixture(scope="module")
def generated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generated:
    accounts, seed = request.param
    out = tmp_path_factory.mktemp(f"case_{accounts}_{seed}")
    return Generated(accounts, seed, out, generate_case(accounts=accounts, seed=seed, out=out))


# --- Victims --------------------------------------------------------------------------------------


def test_there_are_808_victims_and_their_damage_is_exact(generated: Generated) -> None:
    """Rule 28."""
    hits = generated.hits()
    assert len(hits) == 808
    assert sum(int(row["amount_minor"]) for rows in hits.values() for row in rows) == 38_615_473


def test_all_victims_but_one_are_known_by_29_july(generated: Generated, case: Case) -> None:
    """Rule 28."""
    _, known, last = case.damage.restatements
    for restatement in (known, last):
        rows = [
            row
            for row in generated.rows("truth/victims.csv")
            if at(row["known_from"]) <= restatement.as_of
        ]
        assert len({row["wallet_ref"] for row in rows}) == restatement.victims
        assert sum(int(row["amount_minor"]) for row in rows) == restatement.amount_minor


def test_nobody_is_known_as_a_victim_before_being_hit(generated: Generated) -> None:
    for row in generated.rows("truth/victims.csv"):
        assert at(row["known_from"]) > at(row["hit_at"])


def test_the_last_victim_is_hit_last_and_loses_10138(generated: Generated, case: Case) -> None:
    last = max(generated.rows("truth/victims.csv"), key=lambda row: at(row["hit_at"]))
    assert at(last["hit_at"]).date() == case.damage.last_new_victim_on
    assert (last["movement"], int(last["amount_minor"])) == ("payment", 10_138)
    assert at(last["known_from"]) > case.damage.restatements[1].as_of


def test_every_truth_row_is_a_row_of_the_files(generated: Generated) -> None:
    rows = {
        (kind, row[f"{kind}_ref"]): row
        for movements in generated.movements.values()
        for _, kind, row in movements
    }
    for truth in generated.rows("truth/victims.csv", "truth/suspects.csv"):
        row = rows[truth["movement"], truth["movement_ref"]]
        assert row["wallet_ref"] == truth["wallet_ref"]
        assert row["amount_minor"] == truth["amount_minor"]
        assert row["occurred_at"] == truth["hit_at"]
        assert row["state"] == "posted"


def test_one_tenth_is_hit_after_4_july_with_less_than_a_tenth_of_the_money(
    generated: Generated, case: Case
) -> None:
    after = at("2019-07-05T00:00:00+09:00")
    late = {
        wallet: rows
        for wallet, rows in generated.hits().items()
        if min(at(row["hit_at"]) for row in rows) >= after
    }
    assert len(late) == case.damage.victims_late == 81
    rows = [row for of_one in late.values() for row in of_one]
    assert {row["movement"] for row in rows} == {"payment"}
    assert max(at(row["hit_at"]).date() for row in rows) == case.damage.last_new_victim_on
    assert sum(int(row["amount_minor"]) for row in rows) < 0.1 * case.damage.amount_minor


def test_the_damage_follows_the_funding_split(generated: Generated, case: Case) -> None:
    by_funding: dict[str, int] = defaultdict(int)
    for row in generated.rows("truth/victims.csv"):
        by_funding[row["funding"]] += int(row["amount_minor"])
    total = case.damage.amount_minor
    assert abs(by_funding["credit"] - 0.80 * total) <= 1
    assert abs(by_funding["debit"] - 0.15 * total) <= 1
    assert by_funding["points"] + by_funding["own_balance"] == (
        total - by_funding["credit"] - by_funding["debit"]
    )


def test_a_fraudulent_card_top_up_names_a_card_of_that_kind(generated: Generated) -> None:
    cards = {row["card_ref"]: row for row in generated.rows("funding_cards.csv")}
    owner = {row["wallet_ref"]: row["account_ref"] for row in generated.rows("wallets.csv")}
    refs = {row["movement_ref"]: row["funding"] for row in generated.rows("truth/victims.csv")}
    for row in generated.rows("top_ups_2019_07_01.csv"):
        if row["source"] in {"credit_card", "debit_card"}:
            card = cards[row["card_ref"]]
            assert row["source"] == f"{card['funding']}_card"
            assert card["account_ref"] == owner[row["wallet_ref"]]
            assert at(card["registered_at"]) < at(row["occurred_at"])
            assert refs.get(row["top_up_ref"], card["funding"]) == card["funding"]
            assert bool(row["arn"]) == (row["state"] == "posted")
        else:
            assert not any(row[name] for name in ("card_ref", "rrn", "auth_code", "arn"))


def test_about_900_people_and_55_million_are_suspected_on_4_july(
    generated: Generated, case: Case
) -> None:
    suspected = case.damage.restatements[0]
    rows = [
        row
        for row in generated.rows("truth/victims.csv", "truth/suspects.csv")
        if at(row["hit_at"]) <= suspected.as_of
    ]
    assert len({row["wallet_ref"] for row in rows}) == suspected.victims
    top_ups = sum(int(row["amount_minor"]) for row in rows if row["movement"] == "top_up")
    assert top_ups == suspected.amount_minor


def test_a_suspected_wallet_does_not_move_while_it_may_be_held(generated: Generated) -> None:
    """Rule 5: an honest wallet that was held on 4 July misses no payment before its release in
    August.
    """
    suspects = {row["wallet_ref"] for row in generated.rows("truth/suspects.csv")}
    assert len(suspects) == 173
    movements = generated.movements
    first, cleared = at("2019-07-04T06:00:00+09:00"), at("2019-08-01T00:00:00+09:00")
    for wallet in suspects:
        assert not [when for when, _, _ in movements[wallet] if first <= when < cleared]


def test_the_rest_that_a_thief_left_is_the_charge_less_later_payments(
    generated: Generated,
) -> None:
    """Rule 22."""
    movements, hits = generated.movements, generated.hits()
    unspent = {
        row["wallet_ref"]: int(row["unspent_minor"])
        for row in generated.rows("truth/clawbacks.csv")
    }
    found = {}
    for wallet, rows in hits.items():
        fraudulent = [row for row in rows if row["movement"] == "top_up"]
        if not fraudulent:
            continue
        first = min(at(row["hit_at"]) for row in fraudulent)
        charged = sum(int(row["amount_minor"]) for row in fraudulent)
        paid = sum(
            int(row["amount_minor"])
            for when, kind, row in movements[wallet]
            if kind == "payment" and when > first
        )
        if charged > paid:
            found[wallet] = charged - paid
    assert found == unspent
    assert 60 <= len(unspent) <= 120


# --- Money ----------------------------------------------------------------------------------------


def test_no_balance_ever_goes_negative_and_the_closing_sums_are_exact(
    generated: Generated, case: Case
) -> None:
    """Rules 22 and 32, I1."""
    balances = closing_balances(generated)
    holders = [balance.paid_minor for balance in balances.values() if balance.paid_minor]
    accounts = generated.accounts
    assert len(holders) == round(Fraction(accounts * 370_000, 1_500_000))
    assert sum(holders) == round(Fraction(accounts * 190_000_000, 1_500_000))
    assert holders.count(case.programme.smallest_refund_minor) >= 10
    stated = {
        row["wallet_ref"]: (int(row["paid_minor"]), int(row["bonus_minor"]))
        for row in generated.rows("truth/closing_balances.csv")
    }
    left = {
        wallet: (balance.paid_minor, balance.bonus_minor)
        for wallet, balance in balances.items()
        if balance.paid_minor or balance.bonus_minor
    }
    assert left == stated


def test_some_holders_keep_bonus_value_that_is_not_counted(generated: Generated) -> None:
    """Rule 34."""
    balances = closing_balances(generated).values()
    assert [row for row in balances if row.bonus_minor and row.paid_minor]
    assert [row for row in balances if row.bonus_minor and not row.paid_minor]


def test_a_bonus_is_granted_before_the_first_payment(generated: Generated) -> None:
    for movements in generated.movements.values():
        paid = False
        for _, kind, row in movements:
            assert not (paid and kind == "top_up" and row["source"] == "bonus")
            paid = paid or kind == "payment"


def test_every_top_up_is_older_than_the_stop_of_its_source(
    generated: Generated, case: Case
) -> None:
    """Rule 1, I7."""
    sources = set()
    for row in generated.rows("top_ups_2019_07_01.csv"):
        assert case.programme.launched_at <= at(row["occurred_at"])
        assert at(row["occurred_at"]) < case.top_up_stop(row["source"])
        sources.add(row["source"])
    assert sources == {"credit_card", "debit_card", "atm_cash", "register_cash", "points", "bonus"}


def test_authorised_card_top_ups_wait_at_the_stop_and_are_never_value(
    generated: Generated, case: Case
) -> None:
    """Rule 3."""
    rows = [row for row in generated.rows("top_ups_2019_07_01.csv") if row["state"] == "authorised"]
    stop = case.top_up_stop("credit_card")
    assert len(rows) >= 5
    assert {row["source"] for row in rows} == {"credit_card"}
    assert all(timedelta() < stop - at(row["occurred_at"]) <= timedelta(hours=1) for row in rows)


def test_authorised_payments_wait_at_the_end_of_spending(generated: Generated, case: Case) -> None:
    """Rule 31."""
    rows = [
        row for row in generated.rows("payments_2019_09_01.csv") if row["state"] == "authorised"
    ]
    end = case.programme.spend_ends_at
    assert len(rows) >= 3
    assert all(timedelta() < end - at(row["occurred_at"]) <= timedelta(hours=1) for row in rows)


def test_each_payment_is_in_the_delivery_of_its_time(generated: Generated, case: Case) -> None:
    cuts = [
        case.programme.launched_at,
        case.at("stop_all_top_ups"),
        at("2019-08-01T00:00:00+09:00"),
        at("2019-09-01T00:00:00+09:00"),
        case.programme.spend_ends_at,
    ]
    names = ["2019_07_01", "2019_07_04", "2019_08_01", "2019_09_01"]
    for name, begins, ends in zip(names, cuts[:-1], cuts[1:], strict=True):
        times = [at(row["occurred_at"]) for row in generated.rows(f"payments_{name}.csv")]
        assert times
        assert begins <= min(times)
        assert max(times) < ends


# --- People and sign-ins --------------------------------------------------------------------------


def test_everybody_registers_between_launch_and_the_stop(generated: Generated, case: Case) -> None:
    opened = {row["account_ref"]: at(row["opened_at"]) for row in generated.rows("wallets.csv")}
    accounts = list(generated.rows("accounts.csv"))
    assert len(accounts) == len(opened) == generated.accounts
    for row in accounts:
        assert case.programme.launched_at <= at(row["registered_at"])
        assert at(row["registered_at"]) < opened[row["account_ref"]]
        assert opened[row["account_ref"]] < case.at("stop_all_top_ups")
    for column in ("account_ref", "login_id", "email"):
        assert len({row[column] for row in accounts}) == generated.accounts
    phones = [row["phone"] for row in accounts if row["phone"]]
    assert len(set(phones)) == len(phones)


def test_some_people_can_only_sign_in_through_a_provider_and_some_cannot_be_reached(
    generated: Generated,
) -> None:
    """Rule 12."""
    linked = {row["account_ref"] for row in generated.rows("external_identities.csv")}
    accounts = list(generated.rows("accounts.csv"))
    without_password = {row["account_ref"] for row in accounts if not row["password_hash"]}
    assert without_password <= linked
    assert 0.2 < len(linked) / generated.accounts < 0.3
    assert without_password
    unreachable = [
        row for row in accounts if not (row["email_verified_at"] or row["phone_verified_at"])
    ]
    assert 0.015 < len(unreachable) / generated.accounts < 0.05


def test_the_shared_password_opens_every_account_that_has_one(generated: Generated) -> None:
    hashes = {row["password_hash"] for row in generated.rows("accounts.csv")} - {""}
    assert len(hashes) == 1
    assert PBKDF2PasswordHasher().verify(generated.manifest["demo_password"], hashes.pop())


def test_the_three_waves_come_in_the_published_order(generated: Generated, case: Case) -> None:
    abroad: dict[str, list[datetime]] = defaultdict(list)
    tries: dict[str, int] = defaultdict(int)
    networks = set()
    for when, row in generated.sign_ins:
        if row["network"].startswith(("203.0.113.", "198.51.100.")):
            abroad[row["outcome"]].append(when)
            tries[row["login_id"]] += 1
            networks.add(row["network"])
    assert list(abroad) == ["unknown_login_id", "wrong_password", "success"]
    assert abroad["unknown_login_id"][0] == case.attack.starts_at
    assert abroad["unknown_login_id"][-1] < abroad["wrong_password"][0]
    assert abroad["wrong_password"][-1] < abroad["success"][0]
    first_large = min(at(row["hit_at"]) for row in generated.rows("truth/victims.csv"))
    assert abroad["success"][0] < first_large
    assert len(abroad["success"]) == 808
    assert sum(map(len, abroad.values())) == generated.manifest["attempts"]
    assert max(tries.values()) <= case.attack.tries_per_login_id_max
    assert len(networks) <= 40


def test_sign_ins_are_in_time_order_and_belong_to_july(generated: Generated, case: Case) -> None:
    refs = {row["account_ref"]: row["login_id"] for row in generated.rows("accounts.csv")}
    registered = {
        row["account_ref"]: at(row["registered_at"]) for row in generated.rows("accounts.csv")
    }
    ids = set(refs.values())
    before = case.programme.launched_at
    end = at("2019-08-01T00:00:00+09:00")
    for when, row in generated.sign_ins:
        assert before <= when < end
        before = when
        if row["outcome"] == "unknown_login_id":
            assert not row["account_ref"]
            assert row["login_id"] not in ids
        else:
            assert refs[row["account_ref"]] == row["login_id"]
            assert registered[row["account_ref"]] <= before


def test_nobody_signs_in_through_a_suspended_provider(generated: Generated, case: Case) -> None:
    """Rule 14."""
    outcomes = defaultdict(set)
    suspended_at = case.at("suspend_external_login")
    for when, row in generated.sign_ins:
        if row["method"] != "password":
            outcomes[when >= suspended_at].add(row["outcome"])
    assert outcomes == {False: {"success"}, True: {"refused"}}


def test_every_victim_is_signed_in_to_just_before_the_hit(generated: Generated) -> None:
    account = {row["wallet_ref"]: row["account_ref"] for row in generated.rows("wallets.csv")}
    successes: dict[str, list[datetime]] = defaultdict(list)
    for when, row in generated.sign_ins:
        if row["outcome"] == "success" and not row["network"].startswith("100."):
            successes[row["account_ref"]].append(when)
    for wallet, rows in generated.hits().items():
        first = min(at(row["hit_at"]) for row in rows)
        (signed_in,) = successes[account[wallet]]
        assert timedelta() < first - signed_in <= timedelta(minutes=10)


def test_no_file_holds_a_number_as_long_as_a_card_number(generated: Generated) -> None:
    """I22."""
    card_number = re.compile(r"(?<!\d)\d{13,19}(?!\d)")
    for path in generated.out.rglob("*.csv"):
        assert not card_number.search(path.read_text(encoding="utf-8")), path.name


# --- What holders do about their refund -----------------------------------------------------------


def test_the_published_share_of_people_and_money_is_paid_by_9_january(
    generated: Generated, case: Case
) -> None:
    paid = {
        row["wallet_ref"]: int(row["paid_minor"])
        for row in generated.rows("truth/closing_balances.csv")
    }
    behaviour = list(generated.rows("truth/behaviour.csv"))
    assert {row["wallet_ref"] for row in behaviour} == {ref for ref, left in paid.items() if left}
    in_time = [
        row
        for row in behaviour
        if row["applies_on"]
        and date.fromisoformat(row["applies_on"]) <= date(2019, 12, 20)
        and row["account_quality"] != "always_bad"
    ]
    accounts, population = generated.accounts, case.population
    assert {row["channel"] for row in in_time} == {"app"}
    assert len(in_time) == population.holders_paid_by_2020_01_09(accounts=accounts)
    amount = sum(paid[row["wallet_ref"]] for row in in_time)
    assert amount == population.balance_paid_by_2020_01_09_minor(accounts=accounts)


def test_some_transfers_are_returned_and_some_people_apply_late(generated: Generated) -> None:
    """Rules 40 and 55."""
    behaviour = list(generated.rows("truth/behaviour.csv"))
    qualities = {row["account_quality"] for row in behaviour}
    assert qualities == {"ok", "no_such_account", "name_mismatch", "closed_once", "always_bad"}
    days = {date.fromisoformat(row["applies_on"]) for row in behaviour if row["applies_on"]}
    assert {date(2020, 1, 9), date(2020, 1, 10)} & days
    assert date(2020, 1, 14) in days
    assert not [day for day in days if date(2020, 1, 10) < day < date(2020, 1, 14)]
    assert not [day for day in days if date(2019, 12, 20) < day < date(2019, 12, 28)]
    bad = [row for row in behaviour if row["account_quality"] == "always_bad"]
    assert all(date.fromisoformat(row["applies_on"]) < date(2019, 11, 1) for row in bad)


# --- Files ----------------------------------------------------------------------------------------


def test_the_manifest_states_what_the_files_hold(generated: Generated) -> None:
    manifest = json.loads((generated.out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest == generated.manifest
    listed = {entry["path"] for entry in manifest["files"] + manifest["truth"]}
    present = {str(path.relative_to(generated.out)) for path in generated.out.rglob("*.csv")}
    assert listed == present
    for entry in manifest["files"] + manifest["truth"]:
        data = (generated.out / entry["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        rows = list(generated.rows(entry["path"]))
        assert len(rows) == entry["rows"]
        column = next(
            (name for name in ("amount_minor", "unspent_minor", "paid_minor") if rows[0].get(name)),
            None,
        )
        total = sum(int(row[column]) for row in rows) if column else None
        assert total == entry["sum_minor"]
