"""manage.py load_auth_events: the sign-ins of a file are in the database, or none of them."""

from winddown.loading.command import LoadCommand


class Command(LoadCommand):
    help = "Load the history of sign-ins from a CSV file, whole or not at all."
    kind = "auth_events"
