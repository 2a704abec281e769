"""An engine that never joins anybody: on PYTHONPATH it takes the Bridge order out of `ringward engine`."""

import sys

if "engine" in sys.orig_argv:
    from engine.switch.asterisk import orders
    from engine.vocabulary.commands import Bridge

    whole = orders.order

    def order(command, *rest):
        return b"" if isinstance(command, Bridge) else whole(command, *rest)

    orders.order = order
