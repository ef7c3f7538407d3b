"""The programme app: roles are granted after every migration, so that they always match the declarations."""

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate


class WinddownConfig(AppConfig):
    name = "winddown"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from winddown import checks, connected_role, guards  # noqa: F401  # The checks register themselves.
        from winddown.authority import roles
        from winddown.evidence import audit, refused, witnessing  # noqa: F401  # They register.
        from winddown.programme import (
            capabilities,
            filings,  # noqa: F401
            milestones,
            notice_watch,
            stages,  # noqa: F401
            verification,
        )
        from winddown.runs import clocks, clockwork, stalls
        from winddown.set_up import (  # noqa: F401  # They register.
            beginning,
            declared_sections,
            programme_section,
        )

        if settings.PRODUCTION and not settings.MAY_BE_OWNER:
            connection_created.connect(
                connected_role.refuse_the_owner, dispatch_uid="winddown.refuse_the_owner"
            )
        clockwork.OWED.add("due milestones", milestones.fire_due, place=-1)
        clockwork.ALARMS.add("overdue stops", capabilities.overdue)
        clockwork.ALARMS.add("clocks of hosts", clocks.alarms)
        clockwork.ALARMS.add("batches held up", stalls.alarms)
        clockwork.ALARMS.add("breached invariants", verification.alarms)
        clockwork.ALARMS.add("delayed seal", audit.alarms)
        pre_migrate.connect(guards.keep_models, sender=self, dispatch_uid="winddown.keep_models")
        clockwork.ALARMS.add("electronic notice", notice_watch.alarms)
        clockwork.WATCHES.add("electronic notice", notice_watch.probe_due, place=1)
        post_migrate.connect(roles.grant_after_migrate, dispatch_uid="winddown.roles")
