"""A command that does what a form of the console does, with the same fields and refusals."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.core.management.base import CommandError
from django.db.models import Max
from django.utils import translation
from django.utils.datastructures import MultiValueDict

from winddown import texts
from winddown.authority.staff_command import StaffCommand, typed_line
from winddown.models import Approval
from winddown.site.acts import Act


class ActCommand(StaffCommand):
    """The act `verb` of `acts`. Each field of its form is an option."""

    acts: ClassVar[Mapping[str, Act]]
    verb: ClassVar[str]
    done: ClassVar[str]
    """The sentence that it says when it is done."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        for name, field in self._fields().items():
            if name in self.acts[self.verb].typed:
                continue
            choices: Any = getattr(field, "choices", None)
            several = isinstance(field, forms.MultipleChoiceField)
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                dest=name,
                action="append" if several else "store",
                required=field.required,
                default=[] if several else "",
                choices=[code for code, _ in choices if code] if choices else None,
                metavar="FILE" if isinstance(field, forms.FileField) else None,
                help=_english(field) + (", once for each" if several else ""),
            )

    def act(self, options: dict[str, Any]) -> None:
        act = self.acts[self.verb]
        # What cannot be taken back takes a proof of the person, as on the page.
        actor = self.proven_actor(options) if act.tone == "danger" else self.actor(options)
        typed = {name: typed_line(f"{_label(self._fields()[name])}: ") for name in act.typed}
        given = {**options, **typed}
        form = act.form(
            {name: given[name] for name in (*self._fields(), "reason")}, self._files(options)
        )
        with translation.override("en"):
            valid = form.is_valid()
            errors = {name: " ".join(map(str, said)) for name, said in form.errors.items()}
        if not valid:
            for name, said in errors.items():
                option = "the options" if name == "__all__" else f"--{name.replace('_', '-')}"
                option = _label(self._fields()[name]) if name in act.typed else option
                self.say(f"{option}: {said}", option=name)
            raise SystemExit(2)
        before = Approval.objects.aggregate(last=Max("pk", default=0))["last"]
        done = act.do(actor, form.cleaned_data)
        if isinstance(done, Approval):
            asked = [done]
        else:
            asked = list(Approval.objects.filter(pk__gt=before, maker=actor.pk).order_by("pk"))
        if asked and act.says is None:
            for each in asked:
                self.say_awaited(self.done, each)
        elif act.says is not None:
            with translation.override("en"):
                more = str(act.says(done))
            self.say(f"{self.done} {more}")
        else:
            self.say(self.done)

    def _files(self, options: dict[str, Any]) -> MultiValueDict[str, UploadedFile]:
        """Returns the files that the options name, as a browser would send them."""
        named = {
            name: Path(options[name])
            for name, field in self._fields().items()
            if isinstance(field, forms.FileField) and options[name]
        }
        for name, path in named.items():
            if not path.is_file():
                option = name.replace("_", "-")
                raise CommandError(f"--{option}: there is no file {path}", returncode=2)
        return MultiValueDict(
            {
                name: [SimpleUploadedFile(texts.name_of(path), path.read_bytes())]
                for name, path in named.items()
            }
        )

    def _fields(self) -> dict[str, forms.Field]:
        """Returns the fields of the form beside the reason, which every command takes."""
        known = self.acts[self.verb].form.base_fields
        return {name: field for name, field in known.items() if name not in ("reason", "digest")}


def _label(field: forms.Field) -> str:
    with translation.override("en"):
        return str(field.label)


def _english(field: forms.Field) -> str:
    with translation.override("en"):
        label = str(field.label)
        meaning = label[:1].lower() + label[1:]
        return f"{meaning}. {field.help_text}".rstrip(". ") if field.help_text else meaning
