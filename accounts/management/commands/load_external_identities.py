"""manage.py load_external_identities: the external logins of a file are in the database, or none of them."""

from winddown.loading.command import LoadCommand


class Command(LoadCommand):
    help = "Load external logins from a CSV file, whole or not at all."
    kind = "external_identities"
