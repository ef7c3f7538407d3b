"""manage.py load_wallets: the wallets of a file are in the database, or none of them."""

from winddown.load_command import LoadCommand


class Command(LoadCommand):
    help = "Load wallets from a CSV file, whole or not at all."
    kind = "wallets"
