"""The public APIs over HTTP: one package each with `routes.py`, `schemas.py`, `mapping.py`; what they share is here."""
