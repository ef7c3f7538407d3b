"""The programme app: roles are granted after every migration, so that they always match the declarations."""

import gc

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate

# Python's 700 make it look through everything that was just read, many times for each large query.
YOUNG_OBJECTS_MAX = 20_000


class WinddownConfig(AppConfig):
    name = "winddown"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from winddown import checks, connected_role, guards  # noqa: F401  # The checks register themselves.
        from winddown.alarms import duty_addresses, sounding  # noqa: F401  # They register.
        from winddown.authority import roles
        from winddown.evidence import (  # noqa: F401  # They register.
            audit,
            leaks,
            refused,
            witnessing,
        )
        from winddown.programme import (
            filings,  # noqa: F401
            incident_withdrawal,  # noqa: F401
            jurisdictions,
            milestones,
            notice_watch,
            stages,  # noqa: F401
        )
        from winddown.runs import clockwork
        from winddown.set_up import (  # noqa: F401  # They register.
            beginning,
            declared_sections,
            programme_section,
        )
        from winddown.site import alarm_finders  # noqa: F401  # They register.

        if settings.PRODUCTION and not settings.MAY_BE_OWNER:
            connection_created.connect(
                connected_role.refuse_the_owner, dispatch_uid="winddown.refuse_the_owner"
            )
        clockwork.WATCHES.add("alarms", sounding.watch, place=1)
        clockwork.OWED.add("due milestones", milestones.fire_due, place=-1)
        pre_migrate.connect(guards.keep_models, sender=self, dispatch_uid="winddown.keep_models")
        clockwork.WATCHES.add("electronic notice", notice_watch.probe_due, place=1)
        post_migrate.connect(jurisdictions.write_after_migrate, dispatch_uid="winddown.law_rules")
        post_migrate.connect(roles.grant_after_migrate, dispatch_uid="winddown.roles")
        # Modules and models stay until the process ends: the collector need not look at them again.
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS_MAX)
