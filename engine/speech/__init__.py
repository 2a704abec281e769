"""Text to sound files, rendered once, before anyone is dialled. `service.py` is the port; the rest are voices."""
