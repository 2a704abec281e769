"""Ringward's engine: decides who is rung, when, and what they hear. No HTTP in here."""
