"""What an alarm's row keeps of its order: `alarms.plan` ↔ `vocabulary.AlarmPlan`. The api writes, the engine reads it.

The JSON holds the pin: no API returns it and no log prints it.
"""

from pydantic import TypeAdapter

from engine.vocabulary.values import AlarmPlan

_PLAN: TypeAdapter[AlarmPlan] = TypeAdapter(AlarmPlan)


def dump_plan(plan: AlarmPlan) -> str:
    """JSON for the column `alarms.plan`. `alarm_id` may be 0: the row's own id counts when it is read."""
    return _PLAN.dump_json(plan).decode()


def load_plan(stored: str) -> AlarmPlan:
    """Raises ValueError for what is no plan."""
    return _PLAN.validate_json(stored, strict=False)
