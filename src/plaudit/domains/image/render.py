"""The look of small grey pictures, for every task of this domain: ink on warm paper, enlarged."""

from __future__ import annotations

import numpy as np
from PIL import Image

from plaudit.domains.image.sets import Pixels

PAPER, INK = (250, 246, 236), (29, 36, 48)


def on_paper(picture: Pixels, scale: int = 1) -> Image.Image:
    """A picture `(H, W)`, 255 = ink, as RGB; every pixel a block of `scale`."""
    share = picture[..., None] / 255.0
    colours = np.rint(np.array(PAPER) * (1 - share) + np.array(INK) * share).astype(np.uint8)
    return Image.fromarray(colours.repeat(scale, 0).repeat(scale, 1))
