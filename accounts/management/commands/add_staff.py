"""`manage.py add_staff`: a colleague has an account, without a role and without a password."""

from __future__ import annotations

from accounts.staff_acts import STAFF
from winddown.site.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Add a member of staff. Then `change_roles` asks for the roles, and `recover_staff` for the"
        " link with which the person chooses a password; a second person decides about each."
    )
    acts = STAFF
    verb = "add"
    done = (
        "The account is there. Ask now for its roles (change_roles) and its link (recover_staff)."
    )
