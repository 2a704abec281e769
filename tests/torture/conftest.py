"""Torture plays in the town of the acceptance stories."""

from tests.acceptance.conftest import fair, muster, open_muster, open_town, own_database, quick_asterisk, town

__all__ = ["fair", "muster", "open_muster", "open_town", "own_database", "quick_asterisk", "town"]
