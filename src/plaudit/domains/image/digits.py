"""The handwritten digits that come with scikit-learn (Alpaydin and Kaynak, 1998), enlarged from 8 x 8."""

from __future__ import annotations

import numpy as np
from PIL import Image

from plaudit.domains.image.folder import finished
from plaudit.domains.image.sets import PictureSet
from plaudit.errors import MissingExtra


def digits(side: int | None = None) -> PictureSet:
    """Grey pictures of `side`, 28 by default, white ink on black; raises `MissingExtra`."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingExtra("the digits are scikit-learn's.", hint="pip install 'plaudit[image]'") from error
    found = load_digits()
    side = side or 28
    small = np.rint(found.images * (255 / 16)).astype(np.uint8)
    images = np.stack(
        [np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC)) for one in small]
    )
    return finished(images[..., None], found.target.astype(np.int64), tuple("0123456789"), "digits")
