"""What tests of programs, transmissions and spools need to be there, made over HTTP below `/ictcore`.

    made = await Made.all(site, site.admin)
    program_id = await made.program("voicetts", text="Fire!")
"""

from dataclasses import dataclass
from typing import Any

from tests.directory_site import Client, wav
from tests.ictcore_site import IctcoreSite

FIELDS = {
    "voicemessage": ("recording_id",), "voicetts": ("text", "delay"), "ivr": ("ivr_scheme", "description"),
    "forward": ("did_id", "extension_id"), "agent": ("extension_id",), "sendfax": ("document_id",),
    "receivefax": ("account_id",), "faxtoemail": ("account_id",), "emailtofax": ("account_id",),
    "sendemail": ("template_id",), "receiveemail": ("account_id",), "sendsms": ("text_id",),
    "receivesms": ("account_id",)}
SCHEME = {"0": {"type": "say", "data": {"text": "Hello {first_name}"}}}


async def created(client: Client, name: str, path: str, body: Any, method: str = "POST") -> int:
    answer = await client(method, path, body)
    assert answer.status == 200 and answer.body.keys() == {name}, answer
    return int(answer.body[name])


@dataclass
class Made:
    """One of each that programs refer to, and a contact with a phone; `values`: by the fields that refer to them."""

    site: IctcoreSite
    client: Client
    values: dict[str, Any]
    contact_id: int

    @classmethod
    async def all(cls, site: IctcoreSite, client: Client) -> "Made":
        recording_id = await created(client, "recording_id", "/recordings", {"name": "alarm"})
        media = await client("PUT", f"/recordings/{recording_id}/media", data=wav(),
                             headers={"Content-Type": "audio/wav"})
        assert media.status == 200, media
        extension = {"username": f"x{recording_id}", "phone": "030 55520"}
        return cls(site, client, {
            "recording_id": recording_id,
            "document_id": await created(client, "document_id", "/documents", {"name": "plan"}),
            "template_id": await created(client, "template_id", "/templates", {
                "name": "mail", "subject": "Fire", "body": "<p>Fire</p>"}),
            "text_id": await created(client, "text_id", "/texts", {"name": "sms", "data": "Fire"}),
            "account_id": await created(client, "account_id", "/accounts", {"username": f"a{recording_id}"}),
            "extension_id": await created(client, "account_id", "/extensions", extension),
            "did_id": await created(client, "account_id", "/dids", {"username": f"d{recording_id}"}),
            "text": "Fire!", "delay": 1, "ivr_scheme": SCHEME, "description": "",
        }, await created(client, "contact_id", "/contacts", {"first_name": "Anna", "phone": "030 55510"}))

    def body(self, type_: str, **fields: Any) -> dict[str, Any]:
        return {"name": f"my {type_}", **{name: self.values[name] for name in FIELDS[type_]}, **fields}

    async def program(self, type_: str = "voicetts", **fields: Any) -> int:
        return await created(self.client, "program_id", f"/programs/{type_}", self.body(type_, **fields))

    async def transmission(self, type_: str = "voicetts", **fields: Any) -> int:
        given = {"program_id": await self.program(type_), "contact_id": self.contact_id, **fields}
        return await created(self.client, "transmission_id", "/transmissions", given)

    async def may_call(self) -> None:
        """The organisation has a number to show as caller."""
        number = f"+49305557{self.site.directory.org.id:04}"
        await self.site.directory.world.directory.add_numbers([number])
        await self.site.pool.execute("UPDATE numbers SET organisation_id = $1 WHERE number = $2",
                                     self.site.directory.org.id, number)
