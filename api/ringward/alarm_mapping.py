"""Stored alarms to the API's words. Pure."""

from collections.abc import Mapping

from api.ringward import alarm_schemas as schemas
from engine.store.alarm_book import StoredAlarm, StoredAttempt, StoredNote, StoredRecipient, WholeAlarm
from engine.vocabulary.values import Direction, Disposition, RecipientState


def counts(by_state: Mapping[str, int]) -> schemas.Counts:
    return schemas.Counts(total=sum(by_state.values()), **{it.value: by_state.get(it, 0) for it in RecipientState})


def summary(alarm: StoredAlarm) -> schemas.AlarmSummary:
    return schemas.AlarmSummary(
        id=alarm.alarm_id, organizationID=alarm.organisation_id, state=alarm.state, createdAt=alarm.created_at,
        decidedAt=alarm.decided_at, finishedAt=alarm.finished_at, needed=alarm.needed, counts=counts(alarm.counts))


def alarm(whole: WholeAlarm) -> schemas.Alarm:
    return schemas.Alarm(
        **dict(summary(whole.alarm)), request=dict(whole.alarm.request),
        orders=[schemas.Order.model_validate({"kind": it.kind, "recipientID": it.recipient_id, "at": it.at})
                for it in whole.orders],
        recipients=[_recipient(it) for it in whole.recipients], timeline=[_note(it) for it in whole.notes])


def _recipient(row: StoredRecipient) -> schemas.Recipient:
    return schemas.Recipient(
        id=row.recipient_id, userID=row.user_id, contactID=row.contact_id, name=row.name, role=row.role,
        language=row.language, phones=list(row.phones), state=row.state, acknowledgedAt=row.acknowledged_at,
        attempts=[_attempt(it) for it in row.attempts])


def _attempt(row: StoredAttempt) -> schemas.Attempt:
    return schemas.Attempt(
        legID=row.leg, direction=Direction(row.direction), phone=row.phone,
        disposition=None if row.disposition is None else Disposition(row.disposition), cause=row.cause,
        placedAt=row.placed_at, answeredAt=row.answered_at, endedAt=row.ended_at)


def _note(row: StoredNote) -> schemas.Note:
    return schemas.Note(at=row.at, type=row.type, recipientID=row.recipient_id, legID=row.leg, phone=row.phone,
                        message=row.message)
