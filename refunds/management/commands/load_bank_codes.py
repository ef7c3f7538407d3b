"""`manage.py load_bank_codes`: the installed list of bank and branch codes is loaded and active."""

from __future__ import annotations

from typing import Any

from refunds.bankfiles import zengin_codes
from refunds.payouts import bank_codes
from winddown.authority.staff_command import StaffCommand


class Command(StaffCommand):
    help = "Load the installed list of bank and branch codes, and make it the active one."
    examples = ('load_bank_codes --by hana --reason "the list of July"',)

    def act(self, options: dict[str, Any]) -> None:
        dataset, loaded = bank_codes.load(
            version=zengin_codes.dataset_version(),
            banks=zengin_codes.banks(),
            branches=zengin_codes.branches(),
            actor=self.actor(options),
            reason=options["reason"],
        )
        done = "loaded" if loaded else "was loaded before; nothing changed"
        self.say(
            f"{dataset.banks} banks and {dataset.branches} branches of {dataset.version}: {done}",
            version=dataset.version,
            banks=dataset.banks,
            branches=dataset.branches,
            loaded=loaded,
        )
