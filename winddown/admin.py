"""The read-only admin at /admin/: staff read the programme's rows, and nobody changes a row."""

from __future__ import annotations

from typing import Any, NoReturn

from django.contrib import admin
from django.http import Http404, HttpRequest

from winddown import models

READ_AUDIT = "winddown.read_audit"


class LookUpSite(admin.AdminSite):
    """Only what this module lists has pages here: what libraries register, such as second factors,
    has none, not even for a superuser.
    """

    site_header = "Wind-down"
    site_title = "Wind-down"
    enable_nav_sidebar = False

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> NoReturn:
        """Raises `Http404`: here a password would be set without a second factor and an entry."""
        raise Http404


site = LookUpSite()


class LookUp(admin.ModelAdmin):
    """Every member of staff with the permission, if one is named, may read; nobody may add, change
    or delete.
    """

    # Counting every row of a large table would cost more than the page.
    show_full_result_count = False
    list_per_page = 50
    permission = ""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        reader = request.user
        is_staff = bool(reader.is_active and getattr(reader, "kind", "") == "staff")
        return is_staff and (not self.permission or reader.has_perm(self.permission))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def look_up(
    model: Any,
    *columns: str,
    search: tuple[str, ...] = (),
    sort: str = "-pk",
    permission: str = "",
) -> None:
    """The site lists the model with these columns; a search finds exact matches by an index."""
    shown = type(
        f"{model.__name__}LookUp",
        (LookUp,),
        {
            "list_display": columns,
            "search_fields": search,
            "ordering": (sort,),
            "permission": permission,
        },
    )
    site.register(model, shown)


look_up(models.Programme, "name", "state", "launched_at", "announced_at")
look_up(models.Capability, "code", "state", "version", "since", "reason", sort="code")
look_up(models.Milestone, "kind", "at", "fired_at", "late_by", sort="at")
look_up(models.Run, "id", "workflow", "state", "step", "requested_at", "ended_at")
look_up(models.Failure, "id", "run_id", "step", "subject_id", "reason_code", "at")
look_up(
    models.Approval,
    "id",
    "subject",
    "stage",
    "requested_at",
    "expires_at",
    permission=READ_AUDIT,
)
look_up(models.Signature, "id", "subject", "part", "staff_number", "at", permission=READ_AUDIT)
look_up(models.Probe, "id", "capability_id", "at", "refused", "answer")
look_up(models.PublicNotice, "id", "issuer_name", "window_first_day", "window_last_day")
look_up(models.PublishedFigure, "id", "key", "as_of", "value", "exact", "source")
look_up(models.LoadedFile, "id", "kind", "file_name", "rows", "inserted", "loaded_at")
look_up(
    models.AuditEntry,
    "seq",
    "at",
    "actor_id",
    "action",
    "subject",
    search=("=subject",),
    sort="-seq",
    permission=READ_AUDIT,
)
