"""Names that a callee's 302 cannot say."""

import re

from engine.switch.asterisk.encoder import ENDPOINT
from engine.switch.asterisk.endpoints import endpoint, fresh_endpoint


def test_a_trunks_name_is_the_same_for_engine_and_configuration_and_another_with_another_secret() -> None:
    assert endpoint("trunk", "one") == endpoint("trunk", "one") != endpoint("trunk", "two")
    assert ENDPOINT.fullmatch(endpoint("the-alps", "one")) and "one" not in endpoint("trunk", "one")


def test_a_providers_name_is_new_each_time() -> None:
    assert len({fresh_endpoint("p7") for _ in range(100)}) == 100
    assert re.fullmatch(r"p7\.[0-9a-f]{8}", fresh_endpoint("p7"))
