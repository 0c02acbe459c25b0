"""Compositions against hand-computed tables, and every way to get one wrong."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from plaudit.errors import Diverged, InputError, PlauditError
from plaudit.reward.compose import Composition
from plaudit.reward.term import Context, Term, describe_terms
from plaudit.runs.recipe import RewardEntry

ITEMS = np.array([[2.0, 0.5], [6.0, 1.0], [10.0, 0.0]])


def column(at, name, low, high, **declared):
    return Term(name, lambda items, context: items[:, at], f"Column {at}.", (low, high), **declared)


LENGTH = column(0, "length", 0, 10)
DEFECTS = column(0, "defects", 0, 10, direction="minimize")
SHARE = column(1, "share", 0, 1)
TWIN = column(1, "judge", 0, 1, eval_only=True)
TERMS = (LENGTH, DEFECTS, SHARE, TWIN)


def compose(*entries, **options):
    return Composition([RewardEntry(**entry) for entry in entries], TERMS, **options)


def score(*entries, **options):
    return compose(*entries, **options).score(ITEMS, Context()).T.tolist()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"term": "length"}, [2, 6, 10]),
        ({"term": "defects"}, [-2, -6, -10]),
        ({"term": "length", "target": 5.0}, [-3, -1, -5]),
        ({"term": "length", "target": 5.0, "tolerance": 2.0}, [-1, 0, -3]),
        ({"term": "defects", "target": 5.0, "tolerance": 2.0}, [-1, 0, -3]),
        ({"term": "length", "threshold": 6.0}, [0, 1, 1]),
        ({"term": "defects", "threshold": 6.0}, [1, 1, 0]),
    ],
)
def test_shaping(entry, expected):
    assert score(entry) == [expected]


def test_product_is_one_column_of_the_members_places_in_their_ranges():
    # length: .2 .6 1; defects, negated: .8 .4 0; share: .5 1 0; target 6 +-2 has range -4..0: 0.5 1 0.5
    columns = score(
        {"term": "share"}, {"term": "length", "product": True}, {"term": "defects", "product": True}
    )
    assert columns[0] == [0.5, 1, 0]
    np.testing.assert_allclose(columns[1], [0.16, 0.24, 0.0])
    shaped = score(
        {"term": "length", "target": 6.0, "tolerance": 2.0, "product": True},
        {"term": "share", "product": True},
    )
    np.testing.assert_allclose(shaped, [[0.25, 1.0, 0.0]])


def test_breakdown_holds_raw_weight_and_weighted_and_they_add_up():
    composition = compose(
        {"term": "defects", "weight": 0.5},
        {"term": "share", "weight": 2.0, "ramp": (0.0, 0.5)},
        {"term": "length", "product": True},
        product_weight=3.0,
    )
    table = composition.breakdown(ITEMS, Context(), share=0.25)
    assert table.names == ("defects", "share", "product")
    assert table.raw.tolist() == [[2, 0.5, 0.2], [6, 1, 0.6], [10, 0, 1]]
    assert table.weights.tolist() == [0.5, 1.0, 3.0]
    np.testing.assert_allclose(table.weighted, [[-1, 0.5, 0.6], [-3, 1, 1.8], [-5, 0, 3]])
    np.testing.assert_allclose(table.total, [0.1, -0.2, -2.0], atol=1e-12)
    assert table.twins["judge"].tolist() == [0.5, 1, 0]
    assert table.parts["length"].tolist() == [2, 6, 10]
    assert table.item(1)["defects"] == {"raw": 6.0, "weight": 0.5, "weighted": -3.0}
    assert table.item(1)["judge"] == {"raw": 1.0, "weight": 0.0, "weighted": 0.0}
    assert table.means()["share"] == {"raw": 0.5, "weight": 1.0, "weighted": 0.5}


def test_ramp_grows_linearly_between_two_shares_of_the_budget():
    composition = compose({"term": "length", "weight": 4.0, "ramp": (0.2, 0.6)}, {"term": "share"})
    shares = (0.0, 0.2, 0.3, 0.6, 1.0)
    np.testing.assert_allclose([composition.weights(s)[0] for s in shares], [0, 0, 1, 4, 4], atol=1e-12)
    assert [composition.weights(s)[1] for s in shares] == [1] * 5
    assert compose({"term": "length", "ramp": (0.0, 0.0)}).weights(0.0).tolist() == [1.0]


def test_nan_masks_the_item_and_is_counted():
    items = ITEMS.copy()
    items[1, 1] = np.nan
    table = compose({"term": "length"}, {"term": "share", "weight": 2.0}).breakdown(items, Context())
    assert table.valid.tolist() == [True, False, True] and table.masked == 1
    assert math.isnan(table.total[1]) and table.total[0] == 3.0
    assert table.item(1)["share"] == {"raw": None, "weight": 2.0, "weighted": None}
    json.dumps(table.item(1), allow_nan=False)
    silent = compose({"term": "length"}, {"term": "share", "weight": 0.0}).breakdown(items, Context())
    assert silent.valid.all() and silent.total.tolist() == [2, 6, 10]


@pytest.mark.parametrize("entry", [{"threshold": 0.5}, {"target": 0.5}, {"product": True}])
def test_nan_survives_shaping(entry):
    items = np.array([[1.0, np.nan]])
    assert np.isnan(compose({"term": "share", **entry}).score(items, Context())).all()


def test_infinity_is_a_divergence_that_names_the_term():
    items = ITEMS.copy()
    items[2, 1] = np.inf
    with pytest.raises(Diverged, match=r'"share" returned inf for item 2'):
        compose({"term": "share"}).score(items, Context())


@pytest.mark.parametrize(("user", "error"), [(False, PlauditError), (True, InputError)])
@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (np.zeros(2), r'"bad" returned shape \(2,\), expected \(3,\)'),
        (np.zeros((3, 1)), r"shape \(3, 1\), expected \(3,\)"),
        (0.5, r"shape \(\), expected \(3,\)"),
        (["a", "b", "c"], "returned list, expected an array of numbers"),
        (np.array([0.0, 1.5, 0.0]), r"returned 1.5 for item 1, outside of its declared range 0 to 1"),
    ],
)
def test_a_term_that_breaks_its_word_is_named(user, error, returned, message):
    bad = Term("bad", lambda items, context: returned, "Bad.", (0, 1), user=user)
    composition = Composition([RewardEntry(term="bad")], [bad])
    with pytest.raises(PlauditError, match=message) as caught:
        composition.score(ITEMS, Context())
    assert type(caught.value) is error


def test_range_forgives_rounding_of_float32():
    term = Term("ok", lambda items, context: np.float32([1.0000001] * 3), "Ok.", (0, 1))
    assert Composition([RewardEntry(term="ok")], [term]).score(ITEMS, Context()).shape == (3, 1)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "the reward has no term"),
        ([{"term": "lengthy"}], r'reward\[0\]: no term is called "lengthy". Did you mean "length"\?'),
        ([{"term": "share"}, {"term": "judge"}], r'reward\[1\]: "judge" is a twin'),
        ([{"term": "share"}, {"term": "share"}], "listed twice"),
        ([{"term": "share", "weight": 0.0}], "every reward weight is 0"),
        ([{"term": "share", "target": 0.5, "threshold": 0.5}], "both a target and a threshold"),
        ([{"term": "share", "tolerance": 0.5}], "tolerance without a target"),
        ([{"term": "share", "target": 7.0}], 'target 7 is outside of the range of "share", 0 to 1'),
        ([{"term": "share", "threshold": -1.0}], "threshold -1 is outside"),
        ([{"term": "share", "product": True, "weight": 2.0}], "Set product_weight"),
        ([{"term": "share", "product": True, "ramp": (0, 1)}], "Set product_weight"),
        ([{"term": "share", "product": True, "target": 0.5, "tolerance": 0.5}], "no end or no width"),
    ],
)
def test_what_cannot_be_composed_is_refused_with_its_place(entries, message):
    with pytest.raises(InputError, match=message):
        compose(*entries)


@pytest.mark.parametrize(
    ("field", "message"),
    [({"weight": math.nan}, "finite number"), ({"ramp": (0.5, 0.2)}, r"ramp of share is \[0.5, 0.2\]")],
)
def test_entries_that_no_recipe_checked_are_checked(field, message):
    entry = SimpleNamespace(**(RewardEntry(term="share").model_dump() | field))
    with pytest.raises(InputError, match=message):
        Composition([entry], TERMS)


def test_an_endless_range_needs_a_threshold_to_enter_the_product():
    free = Term("free", lambda items, context: items[:, 0], "Free.", (-math.inf, math.inf))
    with pytest.raises(InputError, match="no end or no width"):
        Composition([RewardEntry(term="free", product=True)], [free])
    gated = Composition([RewardEntry(term="free", product=True, threshold=5.0)], [free])
    assert gated.score(ITEMS, Context()).tolist() == [[0], [1], [1]]


def test_a_step_term_is_summed_over_the_steps():
    term = Term("beat", lambda items, context: items, "Beat.", (0, 10), when="step")
    composition = Composition([RewardEntry(term="beat", target=11.0)], [term])
    np.testing.assert_allclose(composition.score(ITEMS, Context()), [[-8.5], [-4.0], [-1.0]])
    flat = Term("beat", lambda items, context: items[:, 0], "Beat.", (0, 10), when="step")
    with pytest.raises(PlauditError, match=r"expected \(3, T\)"):
        Composition([RewardEntry(term="beat")], [flat]).score(ITEMS, Context())


def test_a_tensor_with_a_gradient_is_scored():
    torch = pytest.importorskip("torch")
    term = Term("soft", lambda items, context: torch.ones(3, requires_grad=True) / 2, "Soft.", (0, 1))
    assert Composition([RewardEntry(term="soft")], [term]).score(ITEMS, Context()).tolist() == [[0.5]] * 3


def test_normalising_divides_by_the_deviation_of_all_that_was_observed_and_resumes_exactly():
    entries = {"term": "length", "weight": 3.0, "normalise": True}, {"term": "share"}
    composition = compose(*entries)
    rng = np.random.default_rng(0)
    batches = [rng.normal(5, 2, (n, 2)) for n in (1, 3, 40)]
    batches[2][4, 0] = np.nan
    composition.observe(batches[0])
    assert composition.weights(0).tolist() == [3.0, 1.0]
    composition.observe(batches[1])
    resumed = compose(*entries)
    resumed.load_state_dict(composition.state_dict())
    assert resumed.weights(0).tobytes() == composition.weights(0).tobytes()
    for each in (composition, resumed):
        each.observe(batches[2])
    expected = 3.0 / np.nanstd(np.concatenate(batches)[:, 0], ddof=1)
    np.testing.assert_allclose(composition.weights(0), [expected, 1.0], rtol=1e-12)
    assert resumed.weights(0).tobytes() == composition.weights(0).tobytes()


def test_a_constant_column_is_not_blown_up_by_normalising():
    composition = compose({"term": "length", "normalise": True})
    composition.observe(np.full((10, 1), 7.3))
    assert composition.weights(0).tolist() == [1.0]


def test_each_term_runs_once_however_often_it_is_used():
    calls = []

    def counted(items, context):
        calls.append(len(items))
        return items[:, 1]

    term = Term("share", counted, "Share.", (0, 1))
    entries = [RewardEntry(term="share"), RewardEntry(term="share", product=True)]
    assert Composition(entries, [term]).score(ITEMS, Context()).shape == (3, 2)
    assert calls == [3]


def test_terms_are_described_as_json():
    free = Term("free", lambda items, context: items, "Free.", (0, math.inf), grad="pathwise")
    rows = describe_terms([TWIN, free])
    assert rows[0]["eval_only"] is True and rows[0]["differentiable"] is False
    assert rows[1]["range"] == [0, None] and rows[1]["differentiable"] is True
    json.dumps(rows, allow_nan=False)
