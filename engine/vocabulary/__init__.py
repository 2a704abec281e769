"""The words the engine thinks in: events (facts), commands (orders) and the values both carry."""
