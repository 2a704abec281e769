"""Sound at another rate, without what would fold back into it."""

import numpy as np

from engine.sound.samples import Samples, Sound

_BLOCK_S = 20              # what is resampled at once: ten minutes of studio sound would take a gigabyte


def resample(sound: Sound, rate: int) -> Sound:
    """To another rate through a low-pass that is flat to 90 % of the new band and silent at its end."""
    if rate == sound.rate or not len(sound.samples):
        return Sound(sound.samples, rate)
    step = sound.rate // int(np.gcd(sound.rate, rate))
    pad = step * -(-sound.rate // 20 // step)       # a whole number of samples at both rates
    block = step * (_BLOCK_S * sound.rate // step)
    out = np.concatenate([
        _resampled(sound, rate, start, min(start + block, len(sound.samples)), pad, step)
        for start in range(0, len(sound.samples), block)
    ])
    return Sound(out[: round(len(sound.samples) * rate / sound.rate)], rate)


def _resampled(sound: Sound, rate: int, start: int, end: int, pad: int, step: int) -> Samples:
    """One block of it, filtered with `pad` samples of what is before and after."""
    samples = sound.samples[max(0, start - pad) : end + pad]
    before, after = max(0, pad - start), max(0, end + pad - len(sound.samples))
    padded = np.concatenate([np.zeros(before), samples, np.zeros(after)])
    padded = np.concatenate([padded, np.zeros(step * _smooth(-(-len(padded) // step)) - len(padded))])
    size = len(padded) * rate // sound.rate
    edge = min(rate, sound.rate) / 2
    bins = np.fft.rfftfreq(len(padded), 1 / sound.rate)
    slope = np.clip((edge - bins) / (0.1 * edge), 0, 1)
    spectrum = np.fft.rfft(padded) * (0.5 - 0.5 * np.cos(np.pi * slope))
    out = np.fft.irfft(spectrum[: size // 2 + 1], size) * rate / sound.rate
    skip, length = pad * rate // sound.rate, -(-(end - start) * rate // sound.rate)
    return np.asarray(out[skip : skip + length])


def _smooth(at_least: int) -> int:
    """The next number without prime factors over 5: transforms of other lengths take up to five times as long."""
    odd = [3**n * 5**m for n in range(18) for m in range(12) if 3**n * 5**m < 2 * at_least]
    return int(min(one << (-(-at_least // one) - 1).bit_length() for one in odd))
