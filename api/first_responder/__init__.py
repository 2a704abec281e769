"""The First Responder API (contracts: versions 3.1.0 and later): agents, hotlines, logs, records, sip-customer."""
