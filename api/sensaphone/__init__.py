"""The Sensaphone.net API, as far as it reaches contact groups: a contract of its own over the one directory."""
