"""Ringward's public HTTP APIs: thin aiohttp handlers over the store. Never talks to the switch."""
