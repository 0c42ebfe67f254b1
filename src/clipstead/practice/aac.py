"""Silent AAC-LC frames, written bit by bit: real sound tracks that say nothing."""

from clipstead.practice.bits import fixed, pack

SAMPLE_RATE = 44_100
FRAME_SAMPLES = 1024
CHANNELS = 2
_RATE_INDEX = 4  # 44.1 kHz


def silent_frame() -> bytes:
    """One raw_data_block of a stereo pair in which no scale factor band carries anything."""
    ics_info = "0" + "00" + "0" + fixed(0, 6) + "0"  # one long window, sine shape, max_sfb 0, no predictor
    pair = "001" + fixed(0, 4) + "1" + ics_info + "00"  # CPE, tag 0, common window, no mid/side mask
    channel = fixed(0, 8) + "0" + "0" + "0"  # global gain; no pulse, TNS or gain control data
    return pack(pair + channel * CHANNELS + "111")


def decoder_config() -> bytes:
    """The AudioSpecificConfig: AAC-LC, 44.1 kHz, stereo."""
    return pack(fixed(2, 5) + fixed(_RATE_INDEX, 4) + fixed(CHANNELS, 4) + "000")
