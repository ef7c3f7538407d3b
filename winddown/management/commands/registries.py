"""`manage.py registries`: every registry with its entries, as a page of the documents."""

from __future__ import annotations

from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path
from textwrap import fill
from typing import Any, ClassVar

from django.conf import settings

from winddown.loading import file_kinds
from winddown.printed import Printed
from winddown.registries import Registry
from winddown.terminal import RecordedCommand

OPENING = """# Registries

Printed by `manage.py registries`.

An app imports only earlier apps. If a page, a report or a job needs several apps, the earlier app
owns a registry and the later apps add entries to it. `winddown/registries.py` is the one mechanism:
`REGISTRY.add(name, entry)`, or `@REGISTRY.entry(name)` above a function. A second entry of one name
is refused.
"""


class Command(RecordedCommand):
    help = "Write docs/registries.md: every registry, who owns it, what it holds."
    examples = ("registries --check",)
    exits: ClassVar[dict[int, str]] = {0: "written, or up to date", 1: "not up to date"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--out",
            default="docs/registries.md",
            metavar="FILE",
            help="the page (default %(default)s)",
        )
        parser.add_argument(
            "--check", action="store_true", help="exit code 1 if the file is not up to date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        out = Path(options["out"])
        page = Printed(out.parent, {out.name: printed()}, shared=True)
        code = page.answer(command="registries", check=options["check"], say=self.stdout.write)
        if options["check"]:
            raise SystemExit(code)


def printed() -> str:
    """Returns the page: one section for each registry, by its owner's module."""
    import_module(settings.ROOT_URLCONF)  # imports the modules that add pages, words and alarms
    file_kinds.known()
    found = sorted(Registry.all.values(), key=lambda each: (each.owner, each.name))
    return OPENING + "".join(_section(registry) for registry in found)


# Registries whose names already stand in one visible list are left out: a second copy is not
# needed.
LISTED = {"workflows": "those of `winddown/workflows.py`"}

WORDS = "The words stand beside the code that adds them."


def _section(registry: Registry[Any]) -> str:
    printed = ", ".join(f"`{name}`" for name in sorted(registry)) or "none"
    names = WORDS if registry.name.startswith("words of ") else LISTED.get(registry.name, printed)
    about = f"Owner: `{registry.owner}`. An entry is: {registry.entries_are}."
    return (
        f"\n## {registry.name[:1].upper()}{registry.name[1:]}\n\n"
        f"{fill(about, width=100)}\n\n{fill(names, width=100, break_long_words=False, break_on_hyphens=False)}\n"
    )
