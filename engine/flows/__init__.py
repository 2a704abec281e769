"""Call flows: pure state machines, one file each. `step(state, event)` gives the next state and commands.

A flow has no clock, random, I/O, logging or await. Besides `step` it answers three questions about a state, which
the engine asks after every batch: which phones it wants (`demand`), which legs it uses (`legs_in_use`), which legs
wait under a lease (`leased`).
"""
