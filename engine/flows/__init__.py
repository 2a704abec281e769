"""Call flows: pure state machines. `step(state, event)` gives the next state and commands.

A flow has no clock, random, I/O, logging or await. What else the engine asks about a state (which phones it wants,
which legs it uses, what of it is stored apart …) is `flow.py`; `registry.py` knows every flow. A flow is one file that
opens with its diagram; a large one has its parts beside it, by name.
"""
