"""`level/player`: a character that plays the levels of one game, move by move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.play import files, film
from plaudit.domains.level.play.baselines import play_baselines
from plaudit.domains.level.play.board import Rules
from plaudit.domains.level.play.env import PlayConfig, PlayEnv
from plaudit.domains.level.play.games import RULES, rules_of
from plaudit.domains.level.play.generation import by_policy, check_fit, generate_games
from plaudit.domains.level.play.judge import judge_played
from plaudit.domains.level.play.levels import training_levels
from plaudit.domains.level.play.playthrough import replayed
from plaudit.domains.level.play.recipes import player_recipes
from plaudit.domains.level.play.request import (
    STATISTICS,
    PlayRequest,
    check_play,
    draw_requests,
    given_level,
    request_for,
)
from plaudit.domains.level.play.reward import play_terms
from plaudit.domains.level.render import validated
from plaudit.reward.compose import Composition
from plaudit.reward.potential import Stepwise
from plaudit.reward.term import Context, Term
from plaudit.runs.recipe import Recipe
from plaudit.stepwise import build_learner, configured
from plaudit.task import Item

if TYPE_CHECKING:
    from PIL.Image import Image

    from plaudit.engine.learner import Learner, Policy


class Player:
    """Playthroughs of one game, of `zelda` where a recipe names none; see `plaudit.task.Task`."""

    name: ClassVar[str] = "level/player"
    summary: ClassVar[str] = "A character that plays levels move by move, as a trace and as a film."
    env_config: ClassVar[type[PlayConfig]] = PlayConfig
    formats: ClassVar[tuple[str, ...]] = files.FORMATS
    statistics: ClassVar[tuple[str, ...]] = STATISTICS

    def __init__(self, rules: Rules = RULES[0]) -> None:
        self.rules = rules
        self.Request = request_for(rules)

    def bound(self, recipe: Recipe) -> Player:
        """The task of the recipe's game; raises `InputError` for a game that nobody knows."""
        return Player(rules_of(str(recipe.env.get("game", RULES[0].game.name))))

    def terms(self) -> tuple[Term, ...]:
        return play_terms()

    def recipes(self) -> Mapping[str, Recipe]:
        return player_recipes()

    def check_request(self, request: PlayRequest) -> None:
        check_play(self.rules, request)

    def build(self, recipe: Recipe, inputs: Mapping[str, Path]) -> Learner:
        return build_learner(self.environment(0, recipe), recipe, inputs)

    def environment(self, num_envs: int, recipe: Recipe | None = None) -> PlayEnv:
        """The MDP of the recipe; `num_envs` 0 takes the recipe's own number of copies."""
        recipe = recipe or next(iter(self.recipes().values()))
        rules = self.bound(recipe).rules
        config: PlayConfig = configured(PlayConfig, recipe.env, "env")
        request: PlayRequest = validated(request_for(rules), dict(recipe.request), "request")
        check_play(rules, request)
        if request.level:
            pool = given_level(rules, request)[None]
        else:
            pool = training_levels(rules.game.name, request.size, config.pool)
        composition = Composition(recipe.reward, self.terms(), recipe.product_weight)
        return PlayEnv(rules, pool, num_envs or config.copies, Stepwise(composition, recipe.form))

    def requests(self, n: int, seed: int, given: PlayRequest) -> list[PlayRequest]:
        del seed
        return draw_requests(self.rules, n, given)

    def generate(
        self, policy: Policy, requests: Sequence[PlayRequest], seeds: Sequence[int]
    ) -> Iterator[Item]:
        check_fit(self.rules, policy)
        return generate_games(self.rules, by_policy(policy), requests, seeds)

    def baselines(self) -> Mapping[str, Any]:
        return play_baselines(self.rules)

    def batch(self, items: Sequence[Item]) -> tuple[Any, Context]:
        """A table `(B, 6)` of `playthrough.FIGURES`, and the requests."""
        figures = replayed(self.rules, [item.content for item in items])
        return figures, Context(requests=[item.request for item in items])

    def judge(self, items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
        return judge_played(items)

    def save(self, item: Item, path: Path) -> None:
        files.save_played(item, path)

    def load(self, path: Path) -> Item:
        return files.load_played(path)

    def preview(self, item: Item) -> Image:
        return film.draw_played(item.content)

    def replay(self, item: Item) -> bytes:
        """The playthrough as an animated GIF."""
        return film.gif_of(item.content)
