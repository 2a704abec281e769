"""Pure decisions: who is rung next, what the budget allows. `now` is an argument; nothing here does I/O."""
