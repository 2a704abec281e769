"""Call flows: pure state machines. `step(state, event)` gives the next state and commands.

A flow has no clock, random, I/O, logging or await. Besides `step` it answers three questions about a state, which the
engine asks after every step: which phones it wants (`demand`), which legs it uses (`legs_in_use`), which legs wait
under a lease (`leased`). A flow is one file that opens with its diagram; a large one has its parts beside it, by name.
"""
