"""From a recipe to a learner: what is learned from, what is rewarded, which algorithm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from plaudit.domains.image.data import BUILT_IN
from plaudit.domains.image.learned import read_learned
from plaudit.domains.image.learned_terms import KEY
from plaudit.domains.image.picture_best import BestPictures
from plaudit.domains.image.picture_bound import bounded_terms, check_kappa
from plaudit.domains.image.picture_items import JudgedPictures, PaidItems, PaidPictures, PictureItems
from plaudit.domains.image.picture_reference import facts_about, facts_of, pictures_of, reference_of
from plaudit.domains.image.picture_request import PictureRequest, check_picture
from plaudit.domains.image.picture_source import JudgedPictureReward, PictureReward, PictureSource
from plaudit.domains.image.reward import picture_terms
from plaudit.domains.image.sets import PictureSet
from plaudit.domains.image.sizing import checked_side
from plaudit.engine import algorithms
from plaudit.errors import InputError
from plaudit.reward.compose import Composition
from plaudit.stepwise import configured, read_weights

if TYPE_CHECKING:
    from plaudit.engine.learner import Learner
    from plaudit.runs.recipe import Recipe


@dataclass(frozen=True)
class PictureConfig:
    """The `[env]` of a recipe: which pictures."""

    pictures: str = "glyphs"
    """"glyphs", "shapes" or "digits"; a folder of pictures, one subfolder a class if there are classes; an
    `.npz`, a `.parquet`, a folder of idx files as MNIST's; a name in the folder that PLAUDIT_DATA names."""
    side: int | None = None
    """Of the pictures in pixels; the source's own within 28 to 64 when left open."""
    classes: bool = True
    """Tell the generator the class; without, it makes pictures of any class."""
    mirror: bool = False
    """Learn from mirror images too: not for letters, digits and other things with a direction."""
    best_of: int = 1
    """Learn (flow-matching) from pictures that are each the best by the reward of so many of a class."""
    lower_bound: float | None = None
    """Score by classifiers (class_probability, fidelity, learned) with the mean less so many deviations over
    four changed copies of a picture, against rewards won by accidents of pixels; 1 is usual."""

    def __post_init__(self) -> None:
        checked_side(self.side, 0, 3)
        check_kappa(self.lower_bound)
        if self.best_of < 1:
            raise InputError(f"best_of = {self.best_of} is below 1.", place="env.best_of")

    @property
    def place(self) -> tuple[str, int | None]:
        """What `facts_of`, `reference_of` and `pictures_of` are asked by."""
        return self.pictures, self.side


def config_of(recipe: Recipe) -> PictureConfig:
    """The pictures of a recipe; of one with stages those of the last."""
    env = dict(recipe.stages[-1].env) if recipe.stages else {}
    config: PictureConfig = configured(PictureConfig, {**env, **recipe.env}, "env")
    return config


def make_learner(recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
    """The recipe's learner; raises `InputError`. `inputs["init"]` holds first weights."""
    make = _LEARNERS.get(recipe.algorithm)
    if make is None:
        raise InputError(
            f"pictures are not learned by {recipe.algorithm}.",
            place="algorithm",
            hint=f"Known here: {', '.join(_LEARNERS)}.",
        )
    return make(recipe, inputs)


def reward_of(recipe: Recipe, inputs: Mapping[str, Path] | None = None) -> PictureReward:
    """The recipe's reward over its set of pictures; `inputs["reward"]` is one learned from two folders."""
    config = config_of(recipe)
    given = request_of(recipe)
    facts = facts_of(*config.place)
    check_picture(given, facts)
    terms = bounded_terms(picture_terms(), recipe.reward, config.lower_bound)
    composition = Composition(recipe.reward, terms, recipe.product_weight)
    _check_classes(composition, facts.names, given)
    # Learned now, where it has to be, and not in the middle of the first step.
    held: dict[str, Any] = {"reference": reference_of(*config.place), "pictures": config.place}
    own = {"learned"} & {term.name for term in composition.terms}
    if own and "reward" not in (inputs or {}):
        raise InputError(
            "the term learned needs a reward learned from two folders.",
            place="inputs.reward",
            hint="Make one: plaudit reward --good A --bad B --out R; then --set inputs.reward=R.",
        )
    if own and inputs:
        held[KEY] = read_learned(inputs["reward"])
        return JudgedPictureReward(composition, recipe.reward, facts, given, config.classes, **held)
    return PictureReward(composition, recipe.reward, facts, given, config.classes, **held)


def source_of(recipe: Recipe) -> PictureSource:
    """The recipe's set to learn from."""
    config = config_of(recipe)
    return PictureSource(training_pictures(config), config.classes, config.mirror)


def best_of(recipe: Recipe, inputs: Mapping[str, Path]) -> BestPictures:
    """The best of the recipe's set by the recipe's reward."""
    config, pictures = config_of(recipe), training_pictures(config_of(recipe))
    if not recipe.reward:
        raise InputError("the best pictures are those by a reward.", place="env.best_of", hint="Give one.")
    reward = reward_of(recipe, inputs)
    return BestPictures(pictures, reward, config.best_of, config.classes, config.mirror)


def training_pictures(config: PictureConfig) -> PictureSet:
    """The set itself; raises `InputError` where it is another than the package knows by that name."""
    pictures = pictures_of(*config.place)
    known, own = facts_of(*config.place), facts_about(pictures)
    same = (known.names, known.shape) == (own.names, own.shape)
    if not same or (config.pictures not in BUILT_IN and known.digest != own.digest):
        raise InputError(
            f'is not the set that the package knows as "{config.pictures}".',
            place=pictures.source,
            hint="Give its path, as in env.pictures=./NAME.",
        )
    return pictures


def request_of(recipe: Recipe) -> PictureRequest:
    """What a recipe asks for while training."""
    try:
        return PictureRequest.model_validate(dict(recipe.request))
    except ValidationError as error:
        raise InputError(str(error.errors()[0]["msg"]), place="request") from error


def _check_classes(composition: Composition, names: tuple[str, ...], given: PictureRequest) -> None:
    used = {term.name for term in composition.terms}
    if used == {"class_probability"} and not names:
        raise InputError(
            "the set has no classes whose probability could be rewarded.",
            place="reward",
            hint="Take fidelity, diversity, or terms over pixels.",
        )
    if "similarity" in used and not given.example:
        raise InputError("similarity needs an example.", place="request.example", hint="Name a picture file.")


def _match(recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
    best = config_of(recipe).best_of > 1
    return _flow(recipe, inputs, best_of(recipe, inputs) if best else source_of(recipe), None)


def _tune(recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
    if not {"init", "prior"} & set(inputs):
        raise InputError(
            "a flow is tuned from a base.",
            place="inputs.init",
            hint='Give --init RUN, or let a stage with algorithm = "flow-matching" come first.',
        )
    source = reward_of(recipe, inputs)
    return _flow(recipe, inputs, source, source.weighing)


def _flow(recipe: Recipe, inputs: Mapping[str, Path], source: Any, weighing: Composition | None) -> Learner:
    """A flow's learner; `inputs["prior"]` is the base it stays near, `["init"]` what it begins from."""
    config = algorithms.configure(recipe.algorithm, recipe.learner)
    make = algorithms.learner_class(recipe.algorithm)
    network = {"kind": "unet", **recipe.network}
    learner: Any = make(source, weighing, config, network, recipe.seed)
    if "prior" in inputs:
        learner.load_weights(read_weights(inputs["prior"]))
    if "init" in inputs:
        load = getattr(learner, "begin_from", None) if "prior" in inputs else None
        (load or learner.load_weights)(read_weights(inputs["init"]))
    found: Learner = learner
    return found


def _play(recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
    """A game of generator and critic, with a reward term where the recipe has a reward."""
    source = source_of(recipe)
    if not recipe.reward:
        return _in_one_step(recipe, inputs, PictureItems(source), None)
    reward = reward_of(recipe, inputs)
    make = JudgedPictures if isinstance(reward, JudgedPictureReward) else PaidPictures
    paid = make(source, reward, reference_of(*config_of(recipe).place))
    return _in_one_step(recipe, inputs, paid, reward.weighing)


def _encode(recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
    return _in_one_step(recipe, inputs, PictureItems(source_of(recipe)), None)


def _choose(recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
    if "init" not in inputs or not recipe.reward:
        raise InputError(
            "a policy over latents needs a generator to choose for, and a reward.",
            place="inputs.init" if recipe.reward else "reward",
            hint='Give --init RUN, of a training with algorithm = "vae" or "gan".',
        )
    reward = reward_of(recipe, inputs)
    source = PaidItems(reward, reference_of(*config_of(recipe).place))
    return _in_one_step(recipe, inputs, source, reward.weighing)


def _in_one_step(
    recipe: Recipe, inputs: Mapping[str, Path], source: Any, weighing: Composition | None
) -> Learner:
    """The learner of a generator without steps; it begins from `inputs["init"]`."""
    config = algorithms.configure(recipe.algorithm, recipe.learner)
    make = algorithms.learner_class(recipe.algorithm)
    learner: Any = make(source, weighing, config, {"kind": "generator", **recipe.network}, recipe.seed)
    if "init" in inputs:
        learner.load_weights(read_weights(inputs["init"]))
    found: Learner = learner
    return found


_LEARNERS: Mapping[str, Callable[[Recipe, Mapping[str, Path]], Learner]] = {
    "flow-matching": _match,
    "flow": _tune,
    "gan": _play,
    "vae": _encode,
    "latent": _choose,
}
"""From an algorithm to what makes its learner."""
