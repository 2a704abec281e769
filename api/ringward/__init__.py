"""`/ringward/v1`, Ringward's own API: alarms, the directory, webhooks, events.

`frame.py` is what its modules share; each of them registers its operations on `frame.routes`; `routes.py` brings them
together and is what `api/app.py` mounts.
"""
