"""manage.py load_funding_cards: the funding cards of a file are in the database, or none of them."""

from winddown.loading.command import LoadCommand


class Command(LoadCommand):
    help = "Load funding cards from a CSV file, whole or not at all."
    kind = "funding_cards"
