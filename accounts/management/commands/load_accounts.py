"""manage.py load_accounts: the accounts of a file are in the database, or none of them."""

from winddown.loading.command import LoadCommand


class Command(LoadCommand):
    help = "Load accounts from a CSV file, whole or not at all."
    kind = "accounts"
