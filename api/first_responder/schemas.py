"""The First Responder API's field names, ranges and defaults. Bodies are strict: an unknown member is refused.

`id`, `status` and `number` may stand in a body and are ignored, so that what a GET answered can be PUT back.
"""

import re
from enum import StrEnum
from typing import Annotated

import phonenumbers
from pydantic import BaseModel, Field, ValidationInfo, field_validator

from api.fields import FROM_TEXT, INT64_MAX, Body, FromUrl, Int64, Line, Text, UrlInt, UtcTime, whole_number
from api.phone_numbers import WRITTEN
from engine.vocabulary.values import Direction, EntryType, RecordStatus

WELCOME = ("Willkommen zur GroupAlarm.com First Responder Hotline. "
           "Der erste freie Agent wird umgehend zu Ihnen durchgestellt.")
ASK = ("Hallo, Sie wurden durch die GroupAlarm.com First Responder Hotline alarmiert. "
       "Bitte drücken Sie die 1 zum Annehmen oder legen Sie zum Ablehnen einfach auf.")

# Postcodes by country, as far as we know their form; elsewhere any text goes.
POSTCODES = {"DE": r"[0-9]{5}", "AT": r"[0-9]{4}", "CH": r"[0-9]{4}", "FR": r"[0-9]{5}", "IT": r"[0-9]{5}",
             "ES": r"[0-9]{5}", "NL": r"[0-9]{4} ?[A-Z]{2}", "BE": r"[0-9]{4}", "LU": r"[0-9]{4}",
             "PL": r"[0-9]{2}-[0-9]{3}", "US": r"[0-9]{5}(-[0-9]{4})?"}

Channels = Annotated[int, whole_number(1, 100), Field(examples=[10])]
Speech = Annotated[Text, Field(max_length=300)]


class HotlineStatus(StrEnum):
    """created: just made; starting: active within seconds; active: takes calls; paused: takes no calls, its number is
    kept; error: its texts could not be spoken, calls are taken with the recorded ones."""

    CREATED = "created"
    STARTING = "starting"
    ACTIVE = "active"
    PAUSED = "paused"
    ERROR = "error"


# --- parameters

class Page(FromUrl):
    limit: Annotated[
        int, whole_number(1, 50), FROM_TEXT, Field(description="limit of entries for pagination", examples=[10])] = 10
    offset: Annotated[
        int, whole_number(0, INT64_MAX), FROM_TEXT,
        Field(description="offset of entries for pagination", examples=[0])] = 0


class HotlinesQuery(Page):
    organization_id: Annotated[UrlInt, Field(description="id of requested organization")]


class AdminQuery(FromUrl):
    organization_id: Annotated[
        UrlInt | None, Field(description="id of requested organization (for admin access)"),
    ] = None


class AgentsQuery(AdminQuery):
    owner_id: Annotated[UrlInt, Field(description="id of requested user")]


class IdPath(FromUrl):
    id: Annotated[UrlInt, Field(description="id of the AgentPhone")]


class OrganisationPath(FromUrl):
    id: Annotated[UrlInt, Field(description="id of requested organization")]


class HotlinePath(FromUrl):
    hotlineID: Annotated[UrlInt, Field(description="id of requested hotline")]


class LogPath(HotlinePath):
    logID: Annotated[UrlInt, Field(description="id of requested call log")]


# --- agent phones

class AgentPhoneFields(Body):
    isActive: Annotated[bool, Field(description="active AgentPhones will be called, inactive ones not")]
    name: Annotated[Line, Field(description="name of this AgentPhone")]
    phone: Annotated[str, Field(
        pattern=WRITTEN, examples=["004924155660"],
        description="international phone number, e.g. 004924155660; other forms are accepted, national ones are read "
                    "in the organization's country")]
    userID: Int64


class AgentPhoneBody(AgentPhoneFields):
    id: Annotated[Int64 | None, Field(description="ignored")] = None


class AgentPhone(AgentPhoneFields):
    id: Int64


# --- hotlines

class HotlineFields(Body):
    agents: Annotated[list[Int64], Field(description="list of userIDs which will be called as agent")]
    channelsInbound: Annotated[Channels, Field(description="amount of inbound telephony channels")] = 10
    channelsOutbound: Annotated[Channels, Field(description="amount of outbound telephony channels")] = 10
    isActive: Annotated[bool, Field(description="active hotlines are reachable, inactive hotlines will be shut down")]
    name: Annotated[Line, Field(description="name of this hotline")]
    organizationID: Int64
    ttsInbound: Annotated[Speech, Field(description="text will be played to inbound callers")] = WELCOME
    ttsOutbound: Annotated[Speech, Field(description="text will be played to outbound agents")] = ASK


class HotlineBody(HotlineFields):
    id: Annotated[Int64 | None, Field(description="ignored")] = None
    number: Annotated[str | None, Field(description="ignored")] = None
    status: Annotated[str | None, Field(description="ignored")] = None


class Hotline(HotlineFields):
    id: Int64
    number: Annotated[str, Field(description="the hotline's own number", examples=["+4930123456"])]
    status: HotlineStatus


class HotlineList(BaseModel):
    hotlines: list[Hotline]
    totalHotlines: int


# --- what happened

class CallLog(BaseModel):
    id: Int64
    hotlineID: Int64
    startTime: UtcTime | None


class CallLogList(BaseModel):
    callLogs: list[CallLog]
    totalCallLogs: int


class CallLogEntry(BaseModel):
    id: Int64
    callLogID: Int64
    time: UtcTime
    type: EntryType
    userID: Int64 | None
    agentPhoneID: Int64 | None
    phone: str | None
    message: str


class CallLogDetail(CallLog):
    entries: list[CallLogEntry]


class TelephoneRecord(BaseModel):
    """A connection: one leg of a call, from its start to its end."""

    id: Int64
    hotlineID: Int64
    callLogID: Int64
    direction: Direction
    from_: Annotated[str, Field(alias="from", description="empty when the caller withheld the number")]
    to: str
    startTime: UtcTime
    answerTime: UtcTime | None
    endTime: UtcTime
    duration: Annotated[int, Field(description="seconds from answer to end")]
    status: RecordStatus
    cause: Annotated[int, Field(description="hang-up cause, Q.850")]
    fallback: Annotated[bool, Field(description="made by the switch alone, while the engine was gone")]


class TelephoneRecordList(BaseModel):
    records: list[TelephoneRecord]
    totalRecords: int


# --- sip-customer

class SipCustomerBody(Body):
    city: Annotated[Line, Field(examples=["Berlin"])]
    country: Annotated[str, Field(json_schema_extra={"enum": sorted(phonenumbers.SUPPORTED_REGIONS)},
                                  examples=["DE"], description='short country code, e.g. "DE" for Germany')]
    cityCode: Annotated[Line, Field(examples=["10115"], description="postcode, in the form of the country")]
    name: Annotated[Line, Field(examples=["Feuerwehr"], description="name of organization or individual")]
    organizationID: Int64
    street: Annotated[Line, Field(examples=["Hauptstraße"])]
    streetHousenumber: Annotated[int, whole_number(1, INT64_MAX)]

    @field_validator("country")
    @classmethod
    def _is_a_country(cls, country: str) -> str:
        if country not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError("not a country code of ISO 3166-1")
        return country

    @field_validator("cityCode")
    @classmethod
    def _has_the_countrys_form(cls, code: str, info: ValidationInfo) -> str:
        form = POSTCODES.get(info.data.get("country", ""))
        if form and not re.fullmatch(form, code):
            raise ValueError("not a postcode of this country")
        return code

    @field_validator("city", "street", "name")
    @classmethod
    def _has_a_letter(cls, text: str) -> str:
        if not any(sign.isalpha() for sign in text):
            raise ValueError("has no letter")
        return text


class SipCustomerState(BaseModel):
    exists: bool


class Acknowledgement(BaseModel):
    success: bool = Field(True, json_schema_extra={"const": True})
    message: str
    i18nKey: str
