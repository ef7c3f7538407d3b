"""The rows of a customer: account, external identities, wallet and funding cards."""

from random import Random

from rehearsal.case import Case
from rehearsal.case_files import CaseClock, CaseFiles
from rehearsal.people import (
    ISSUERS,
    NAMES,
    account_ref,
    display_name,
    email,
    kana_name,
    login_id,
    phone,
    wallet_ref,
)
from rehearsal.sign_in_history import Accounts

EXTERNAL_SHARE = 0.25
EXTERNAL_ONLY_SHARE = 0.4
SECOND_EXTERNAL_SHARE = 0.05
# No verified mail and no verified phone: three in a hundred, more often where the provider vouched.
UNREACHABLE_SHARE = 0.022
UNREACHABLE_EXTERNAL_ONLY_SHARE = 0.1
CARD_SHARE = 0.35
DEBIT_SHARE = 0.2
SECOND_CARD_SHARE = 0.05

# Hexadecimal digits are written as consonants, because a token must never look like a card number.
LETTERS = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")

# (card_ref, bin) by funding source; the first is the one the customer prefers.
Cards = dict[str, tuple[str, str]]


class CustomerRows:
    """Writes one customer after another and keeps what the sign-in history needs of each."""

    def __init__(
        self,
        case: Case,
        *,
        files: CaseFiles,
        clock: CaseClock,
        accounts: Accounts,
        rng: Random,
        password_hash: str,
    ) -> None:
        self._providers = case.external_providers
        self._files = files
        self._clock = clock
        self._accounts = accounts
        self._rng = rng
        self._hash = password_hash
        # Registration ended with the last top-up source, so nothing about a customer is dated
        # later.
        self._last_second = clock.seconds(case.at("stop_all_top_ups")) - 1
        self._cards = 0
        self.locked_out = 0

    def write_wallet(self, number: int) -> int:
        """The wallet is opened within five minutes of the registration. Returns the second."""
        opened = self._accounts.registered[number] + 30 + int(self._rng.random() * 240)
        opened = min(opened, self._last_second)
        self._files.wallets.write(
            f"{wallet_ref(number)},{account_ref(number)},{self._clock.text(opened)}"
        )
        return opened

    def write_account(self, number: int, *, password_needed: bool) -> None:
        """The account is written. With `password_needed` the person has a password, because the
        history has a sign-in with it.
        """
        rng, text = self._rng.random, self._text
        registered = self._accounts.registered[number]
        name = self._accounts.names[number] = int(rng() * NAMES)
        at, ref = text(registered), account_ref(number)
        has_password = True
        if rng() < EXTERNAL_SHARE:
            provider = int(rng() * len(self._providers))
            self._accounts.providers[number] = provider + 1
            has_password = password_needed or rng() >= EXTERNAL_ONLY_SHARE
            linked = text(registered + 60 + int(rng() * 1_200)) if has_password else at
            self._write_identity(ref, provider, linked)
            if rng() < SECOND_EXTERNAL_SHARE:
                self._write_identity(ref, (provider + 1) % len(self._providers), linked)
        self._accounts.passwords[number] = has_password
        reach = rng()
        no_mail = reach < 0.12
        unreachable = UNREACHABLE_SHARE if has_password else UNREACHABLE_EXTERNAL_ONLY_SHARE
        no_phone = reach < unreachable or 0.12 <= reach < 0.35
        mail_at = "" if no_mail else text(registered + 60 + int(rng() * 600))
        phone_at = "" if no_phone else text(registered + 90 + int(rng() * 900))
        number_called = "" if no_phone and reach > 0.3 else phone(number)
        if not has_password and no_mail and no_phone:
            self.locked_out += 1
        self._files.accounts.write(
            f"{ref},{login_id(number, name)},{email(number, name)},{mail_at},{number_called},"
            f"{phone_at},{display_name(name)},{kana_name(name)},{at},"
            f"{self._hash if has_password else ''}"
        )

    def _text(self, second: int) -> str:
        return self._clock.text(min(second, self._last_second))

    def _write_identity(self, ref: str, provider: int, linked_at: str) -> None:
        subject = f"{self._rng.getrandbits(80):020x}".translate(LETTERS)
        self._files.identities.write(f"{ref},{self._providers[provider]},{subject},{linked_at}")

    def write_cards(self, number: int, *, opened: int, funding: str | None) -> Cards:
        """The customer's cards are written. One is of `funding` (credit or debit) if the history
        needs it.
        """
        cards = {}
        for kind in self._fundings(funding):
            self._cards += 1
            ref = f"C{self._cards:08d}"
            issuer = int(self._rng.random() * len(ISSUERS))
            code, brand = ISSUERS[issuer]
            # No scheme issues cards whose number begins with 9.
            bin_ = f"9{issuer + 1:02d}{100 + int(self._rng.random() * 20):03d}"
            token = f"{self._rng.getrandbits(96):024x}".translate(LETTERS)
            last4 = f"{int(self._rng.random() * 10_000):04d}"
            at = self._text(opened + 30 + int(self._rng.random() * 200))
            self._files.cards.write(
                f"{ref},{account_ref(number)},{code},{brand},{kind},tok_{token},{bin_},{last4},{at}"
            )
            cards[f"{kind}_card"] = (ref, bin_)
        return cards

    def _fundings(self, needed: str | None) -> list[str]:
        if needed:
            return [needed]
        if self._rng.random() >= CARD_SHARE:
            return []
        fundings = ["credit", "debit"]
        if self._rng.random() < DEBIT_SHARE:
            fundings.reverse()
        return fundings if self._rng.random() < SECOND_CARD_SHARE else fundings[:1]
