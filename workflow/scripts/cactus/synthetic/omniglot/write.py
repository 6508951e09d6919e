"""Synthetic Omniglot: invented alphabets in the two official archives."""

from collections.abc import Iterator
from pathlib import Path

from cactus.config.synthetic import SyntheticOmniglot
from cactus.seeding import numpy_generator
from cactus.synthetic.encode import encode_png, write_zip
from cactus.synthetic.omniglot.strokes import (
    draw_character,
    invent_alphabet,
    invent_character,
    invent_hand,
)


def write_files(settings: SyntheticOmniglot, seed: int, folder: Path) -> None:
    """Write images_background.zip and images_evaluation.zip into `folder`."""
    background = settings.background_alphabets
    everything = range(1, background + settings.evaluation_alphabets + 1)
    for name, alphabets in (
        ("images_background", everything[:background]),
        ("images_evaluation", everything[background:]),
    ):
        members = (
            (f"{name}/{member}", content)
            for number in alphabets
            for member, content in _alphabet_members(number, settings, seed)
        )
        write_zip(folder / f"{name}.zip", members)


def _alphabet_members(
    number: int, settings: SyntheticOmniglot, seed: int
) -> Iterator[tuple[str, bytes]]:
    """Yield one alphabet's files: <Alphabet>/characterNN/IIII_DD.png."""
    generator = numpy_generator("sample", "omniglot", "alphabet", number, seed)
    alphabet = invent_alphabet(generator)
    hands = [invent_hand(settings.variation, generator) for _ in range(settings.drawers)]
    for character in range(1, settings.characters + 1):
        strokes = invent_character(alphabet, generator)
        identity = (number - 1) * settings.characters + character
        for drawer, hand in enumerate(hands, start=1):
            ink = draw_character(strokes, alphabet.smooth, hand, settings.variation, generator)
            path = f"Sample_{number:02d}/character{character:02d}/{identity:04d}_{drawer:02d}.png"
            yield path, encode_png(ink)
