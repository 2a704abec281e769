"""The REST API of ICTCore, at `/ictcore` and `/ictcore/api`. See `frame.py`; what works is in docs/ictcore.md."""
