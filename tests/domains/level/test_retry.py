"""Further attempts of a policy, and the heaps and searches of the games whose statistics take a player."""

import heapq

import numpy as np
import torch

from plaudit.domains import get_task
from plaudit.domains.level.heap import item_of, pop, pop_whole, push, push_whole
from plaudit.runs import presets


class Entry:
    def __init__(self, cost, item):
        self.cost, self.item = cost, item

    def __lt__(self, other):
        return self.cost < other.cost


def test_heaps_order_equals_as_heapq_does():
    rng = np.random.default_rng(0)
    costs, items, whole = np.zeros(400), np.zeros(400, np.int64), np.zeros(400, np.int64)
    plain, size = [], 0
    for item in range(400):
        if plain and rng.random() < 0.4:
            first = heapq.heappop(plain)
            left, same = pop(costs, items, size), pop_whole(whole, size)
            assert left == same == len(plain)
            assert items[left] == item_of(whole[left]) == first.item
            size = left
        cost = int(rng.integers(-5, 6))
        heapq.heappush(plain, Entry(cost, item))
        push(costs, items, size, cost, item)
        size = push_whole(whole, size, cost, item)


def made(requests, seeds):
    task = get_task("level/dungeon")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    items = list(task.generate(presets.load_policy(task.name)[0], requests, seeds))
    torch.set_num_threads(before)
    return items


def test_a_level_begun_anew_depends_on_its_seed_alone():
    task = get_task("level/dungeon")
    # A way as long as this, with as much to collect, is seldom made at once without a plan.
    asked = task.Request(target={"solution_length": 46.0, "col_treasures": 17.0}, density=0.1)
    requests, seeds = task.requests(6, 12, asked), [94_000_000 + i for i in range(6)]
    items = made(requests, seeds)
    late = max(range(6), key=lambda i: items[i].info["steps"])
    # More steps than one attempt has: it was begun anew.
    assert items[late].info["steps"] > int(task.game.patience * 96)
    alone = made(requests[late : late + 1], seeds[late : late + 1])[0]
    assert (alone.content == items[late].content).all()
    assert alone.info == items[late].info


def test_steps_that_were_asked_for_are_all_that_a_level_gets():
    task = get_task("level/dungeon")
    requests = task.requests(4, 12, task.Request(steps=3))
    items = made(requests, [94_000_000 + i for i in range(4)])
    assert all(item.info["steps"] <= 3 for item in items)
