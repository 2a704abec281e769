"""Signatures: the published vector, and what a receiver's own library says to them."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from api.webhooks.signature import KEY_BYTES, new_secret, signed

BODY = '{"type":"alarm.created","data":{"name":"Jürgen"}}'.encode()


def now() -> datetime:
    """Asked in each test: a receiver takes nothing that is older than five minutes, and the suite runs longer."""
    return datetime.now(UTC)


def test_the_vector_that_the_libraries_of_standard_webhooks_share() -> None:
    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330.9, UTC), b'{"test": 2432232314}',
                     ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}


def test_with_two_secrets_a_receiver_with_either_is_content() -> None:
    old, new = new_secret(), new_secret()
    headers = signed("msg_1", now(), BODY, [new, old])
    for secret in (old, new):
        assert Webhook(secret).verify(BODY, headers)["data"] == {"name": "Jürgen"}
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)


@pytest.mark.parametrize(("body", "message_id", "late"), [
    (BODY + b" ", "msg_1", 0), (BODY, "msg_2", 0), (BODY, "msg_1", 1)])
def test_body_id_and_time_are_signed(body: bytes, message_id: str, late: int) -> None:
    secret = new_secret()
    headers = signed("msg_1", now(), BODY, [secret])
    headers |= {"webhook-id": message_id, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + late)}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_an_old_try_is_not_accepted_again() -> None:
    secret = new_secret()
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(secret).verify(BODY, signed("msg_1", now() - timedelta(minutes=6), BODY, [secret]))


def test_secrets_are_random_and_of_the_length_that_the_specification_wants() -> None:
    secrets = {new_secret() for _ in range(50)}
    assert len(secrets) == 50
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        assert 24 <= len(key) == KEY_BYTES <= 64
