import numpy as np

from engine.speech.null import Null


async def test_the_same_text_sounds_the_same_and_another_does_not() -> None:
    voice = Null()
    one, again, other = [await voice.speak([text], "de") for text in ("a", "a", "b")]
    assert np.array_equal(one.samples, again.samples)
    assert not np.array_equal(one.samples[:4000], other.samples[:4000])
    assert 0.3 <= len(one.samples) / one.rate <= 0.6
