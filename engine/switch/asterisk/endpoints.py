"""The names of trunks' PJSIP endpoints, which nobody outside may know.

Who is called may answer `302 Moved` to `PJSIP/<endpoint>/<any address>`, and Asterisk dials that: it has no setting
against it where a leg is dialled by `Originate`. So the dial string must not be guessed. Used where Asterisk's
configuration is rendered, and where dial strings and providers' objects are made.
"""

import hashlib
import secrets


def endpoint(trunk: str, secret: str) -> str:
    """Of a trunk of the settings. `secret`: what the engine and its Asterisk share."""
    return f"{trunk}.{hashlib.sha256(f'endpoint {secret}'.encode()).hexdigest()[:8]}"


def fresh_endpoint(trunk: str) -> str:
    """Of a provider, and of all its objects; kept as long as they are."""
    return f"{trunk}.{secrets.token_hex(4)}"
