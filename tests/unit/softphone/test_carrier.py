"""What a carrier forgets, and what it counts."""

import asyncio

from engine.softphone import Behaviour, Carrier


async def test_calls_that_are_over_are_forgotten_and_those_that_live_are_not() -> None:
    async with Carrier() as carrier:
        carrier.phone("4911", Behaviour.rejects(486, after_s=0))
        carrier.phone("4922")
        over = await carrier.call("4933", "4911", at=carrier.address)
        await over.ended(2)
        rings = await carrier.call("4933", "4922", at=carrier.address)
        await carrier.phones["4922"].rung(2)
        carrier.forget()
        assert carrier.placed == [rings] and carrier.phones["4911"].calls == []
        assert len(carrier.phones["4922"].calls) == 1 and list(carrier.journal) == []
        rings.hang_up()
        await carrier.phones["4922"].ended(2)


async def test_an_invite_without_an_answer_is_counted_when_it_is_sent_again() -> None:
    loop = asyncio.get_running_loop()
    silent, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    async with Carrier() as carrier:
        call = await carrier.call("4933", "4911", at=silent.get_extra_info("sockname"))
        async with asyncio.timeout(3):
            while not carrier.sent_again("INVITE"):  # noqa: ASYNC110 -- nobody tells of it
                await asyncio.sleep(0.02)
        call.forget()
    silent.close()
