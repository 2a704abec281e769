"""First Responder words to ours and back. Pure.

Phones leave as `0049…`, a hotline's number and everything in logs and records as `+49…`.
"""

from api.first_responder import schemas
from api.phone_numbers import e164
from engine.store.directory_port import (
    CallLog,
    HotlineData,
    LogEntry,
    Page,
    Phone,
    PhoneData,
    SipCustomer,
    StoredHotline,
    TelephoneRecord,
)
from engine.vocabulary.values import Direction, EntryType, RecordStatus


def plus(number: str) -> str:
    """Digits as the engine writes them, or E.164; '' (withheld) stays ''."""
    return f"+{number}" if number.isdigit() else number


def phone_data(body: schemas.AgentPhoneBody, country: str) -> PhoneData:
    return PhoneData(user_id=body.userID, name=body.name, number=e164(body.phone, country, "phone"),
                     is_active=body.isActive)


def agent_phone(phone: Phone) -> schemas.AgentPhone:
    return schemas.AgentPhone(id=phone.phone_id, isActive=phone.is_active, name=phone.name,
                              phone="00" + phone.number.removeprefix("+"), userID=phone.user_id)


def hotline_data(body: schemas.HotlineBody) -> HotlineData:
    """An agent named twice counts once, where it stands first."""
    return HotlineData(
        name=body.name, is_active=body.isActive, channels_inbound=body.channelsInbound,
        channels_outbound=body.channelsOutbound, tts_inbound=body.ttsInbound, tts_outbound=body.ttsOutbound,
        agents=tuple(dict.fromkeys(body.agents)))


def hotline(stored: StoredHotline) -> schemas.Hotline:
    data = stored.data
    return schemas.Hotline(
        id=stored.hotline_id, number=stored.number, status=schemas.HotlineStatus(stored.status),
        organizationID=stored.organisation_id, agents=list(data.agents), name=data.name, isActive=data.is_active,
        channelsInbound=data.channels_inbound, channelsOutbound=data.channels_outbound,
        ttsInbound=data.tts_inbound, ttsOutbound=data.tts_outbound)


def hotline_list(page: Page[StoredHotline]) -> schemas.HotlineList:
    return schemas.HotlineList(hotlines=[hotline(stored) for stored in page.items], totalHotlines=page.total)


def call_log(log: CallLog) -> schemas.CallLog:
    return schemas.CallLog(id=log.log_id, hotlineID=log.hotline_id, startTime=log.start_time)


def call_log_list(page: Page[CallLog]) -> schemas.CallLogList:
    return schemas.CallLogList(callLogs=[call_log(log) for log in page.items], totalCallLogs=page.total)


def entry(row: LogEntry) -> schemas.CallLogEntry:
    return schemas.CallLogEntry(
        id=row.entry_id, callLogID=row.log_id, time=row.at, type=EntryType(row.type), userID=row.user_id,
        agentPhoneID=row.phone_id, phone=None if row.phone is None else plus(row.phone), message=row.message)


def record(row: TelephoneRecord) -> schemas.TelephoneRecord:
    talk = row.end_time - row.answer_time if row.answer_time else None
    return schemas.TelephoneRecord.model_validate({
        "id": row.record_id, "hotlineID": row.hotline_id, "callLogID": row.log_id,
        "direction": Direction(row.direction), "from": plus(row.from_number), "to": plus(row.to_number),
        "startTime": row.start_time, "answerTime": row.answer_time, "endTime": row.end_time,
        "duration": max(0, round(talk.total_seconds())) if talk else 0,
        "status": RecordStatus(row.status), "cause": row.cause, "fallback": row.fallback})


def record_list(page: Page[TelephoneRecord]) -> schemas.TelephoneRecordList:
    return schemas.TelephoneRecordList(records=[record(row) for row in page.items], totalRecords=page.total)


def sip_customer(body: schemas.SipCustomerBody) -> SipCustomer:
    return SipCustomer(name=body.name, street=body.street, street_housenumber=body.streetHousenumber, city=body.city,
                       city_code=body.cityCode, country=body.country)
