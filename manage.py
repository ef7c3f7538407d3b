#!/usr/bin/env python
"""A management command is run with this project's settings."""

import os
import sys

# What a shell makes of a process that Ctrl-C ended.
INTERRUPTED = 130
# PostgreSQL's code for a table that does not exist.
NO_TABLE = "42P01"
# Django's command would set anybody's password, without a second person and without an entry.
REFUSED = {
    "changepassword": "a password is chosen by its owner alone; where it is lost, use recover_staff"
    " for staff, and a recovery case for customers."
}


def main() -> None:
    if why := REFUSED.get("".join(sys.argv[1:2])):
        sys.exit(f"manage.py: {why}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import ProgrammingError

    # A terminal that lacks a letter is shown another one; what was done is never undone for it.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # Its message says what to change; where in Django it was noticed helps nobody.
        sys.exit(f"manage.py: {error}")
    except ProgrammingError as error:
        if getattr(error.__cause__, "sqlstate", None) != NO_TABLE:
            raise
        sys.exit(
            "manage.py: this database lacks tables. Its owner runs first:"
            " manage.py migrate && manage.py database_roles --apply"
        )
    except KeyboardInterrupt:
        print("manage.py: interrupted; what was committed stays.", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
