"""Users' functions: what they see, what they may get wrong, and that none of it harms the training."""

import os
import textwrap
import time
from dataclasses import dataclass

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict

import plaudit
from plaudit.engine.random import RowRandom
from plaudit.errors import Diverged, InputError, PlauditError
from plaudit.reward.child import Child, Limits
from plaudit.reward.compose import Composition
from plaudit.reward.term import Context, Term
from plaudit.reward.user import load_user_term, spec_of
from plaudit.runs.recipe import RewardEntry

ITEMS = np.arange(12.0).reshape(3, 2, 2)


class Request(BaseModel):
    model_config = ConfigDict(frozen=True)
    size: tuple[int, int] = (14, 14)
    target: dict[str, float] = {}


@pytest.fixture
def write(tmp_path):
    def write_file(text, name="rewards.py"):
        (tmp_path / name).write_text(textwrap.dedent(text))
        return tmp_path / name

    return write_file


def score(term, items=ITEMS, context=None):
    return Composition([RewardEntry(term=term.name)], [term]).score(items, context or Context())[:, 0]


def test_decorator_with_and_without_declaration():
    @plaudit.reward(range=(0, 1), direction="minimize", eval_only=True)
    def few(items, context):
        """Few of them."""
        return items.mean(axis=(1, 2)) / 11

    @plaudit.reward
    def many(items, context):
        return [float(item.sum()) for item in items]

    assert isinstance(few, Term) and isinstance(many, Term)
    assert (few.name, few.range, few.direction) == ("few", (0.0, 1.0), "minimize")
    assert few.summary == "Few of them." and few.user and few.eval_only
    assert many.range == (-np.inf, np.inf)
    np.testing.assert_allclose(few(ITEMS, Context()), ITEMS.mean(axis=(1, 2)) / 11)
    assert score(many).tolist() == [6, 22, 38]


def test_it_runs_in_another_process_on_copies_with_one_thread():
    parent = os.getpid()

    @plaudit.reward
    def where(items, context):
        items[:] = -1
        print("this goes to stderr")
        return [float(os.getpid() != parent), float(os.environ["OMP_NUM_THREADS"]), items.max()]

    items = ITEMS.copy()
    assert score(where, items).tolist() == [1, 1, -1]
    assert (items == ITEMS).all()


def test_prints_do_not_reach_stdout(capfd):
    @plaudit.reward
    def chatty(items, context):
        print("a word")
        return [0.0] * 3

    score(chatty)
    out, err = capfd.readouterr()
    assert out == "" and "a word" in err


def test_context_arrives_as_plain_objects_and_the_generator_goes_on():
    @plaudit.reward
    def seen(items, context):
        wanted = [r.target["path"] + r.size[0] for r in context.requests]
        return (
            np.array(wanted) + context.groups + context.generator.uniform(1)[:, 0] + context.references.sum()
        )

    twin = RowRandom([1, 2, 3])
    requests = [Request(target={"path": 10.0 * k}) for k in range(3)]
    context = Context(requests, np.ones(4), np.array([100, 200, 300]), RowRandom([1, 2, 3]))
    for _ in range(2):
        expected = np.array([118, 228, 338]) + twin.uniform(1)[:, 0]
        np.testing.assert_allclose(score(seen, context=context), expected)
    requests[1] = Request(target={"path": 50.0})
    context.references = np.zeros(1)
    np.testing.assert_allclose(
        score(seen, context=context), np.array([114, 264, 334]) + twin.uniform(1)[:, 0]
    )


def test_every_kind_of_item_travels():
    @dataclass
    class Note:
        pitch: int

    @plaudit.reward
    def of(items, context):
        return [np.sum(item) if isinstance(item, np.ndarray) else item["pitch"] for item in items]

    assert score(of, [np.ones((2, 3), np.uint8), np.ones(5)]).tolist() == [6, 5]
    assert score(of, [{"pitch": 60}, {"pitch": 62}]).tolist() == [60, 62]
    assert score(of, [Note(3)]).tolist() == [3]
    torch = pytest.importorskip("torch")
    assert score(of, torch.ones(2, 3, requires_grad=True)).tolist() == [3, 3]
    for foreign in ([object()], np.array([None, {}])):
        with pytest.raises(PlauditError, match="cannot travel"):
            score(of, foreign)


def test_references_that_cannot_travel_are_left_out():
    @plaudit.reward
    def how_many(items, context):
        return [len(context.references)] * len(items)

    for references, count in ([7, 8], 2), ([object()], 0), (np.ones((5, 2)), 5):
        assert score(how_many, context=Context(references=references)).tolist() == [count] * 3


def test_an_error_names_the_function_file_and_line(write):
    path = write("""
        def helper(item):
            raise ValueError("no such\\ntile")

        def bad(items, context):
            return [helper(item) for item in items]
        """)
    term = load_user_term(f"{path}:bad")
    for _ in range(2):
        with pytest.raises(InputError) as caught:
            score(term)
        assert str(caught.value) == f'{path}:3: the reward function "bad" raised ValueError: no such tile.'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return None", "returned NoneType, expected 3 numbers"),
        ("return ['x'] * 3", "returned list, expected 3 numbers"),
        ("return [1.0]", r"returned shape \(1,\), expected \(3,\)"),
        ("raise SystemExit(3)", "raised SystemExit: 3"),
        ("os._exit(7)", r"ended its process \(exit code 7\)"),
        ("os.kill(os.getpid(), 9)", r"ended its process \(signal SIGKILL\)"),
        ("while True: os.fork()", "raised PermissionError: a reward function may not fork"),
    ],
)
def test_what_goes_wrong_is_contained_and_named(write, body, message):
    path = write(f"""
        import os
        import numpy as np

        def f(items, context):
            if items.sum() == 0:
                return np.zeros(3)
            {body}
        """)
    term = load_user_term(f"{path}:f")
    with pytest.raises(InputError, match=message):
        score(term)
    assert score(term, ITEMS * 0).tolist() == [0, 0, 0]


def test_memory_beyond_the_limit_is_refused_and_below_it_granted():
    @plaudit.reward(memory_gb=0.5)
    def greedy(items, context):
        return np.zeros(int(items.sum()))[:1]

    assert greedy(np.full(1, 0.2e9 / 8), Context()).tolist() == [0]
    with pytest.raises(InputError, match=r'"greedy" raised \w*MemoryError'):
        greedy(np.full(1, 1e9 / 8), Context())


def test_nan_follows_the_nan_rule_and_infinity_diverges():
    @plaudit.reward
    def odd(items, context):
        return [1.0, np.nan, items.max()]

    entry = [RewardEntry(term="odd")]
    assert Composition(entry, [odd]).breakdown(ITEMS, Context()).valid.tolist() == [True, False, True]
    with pytest.raises(Diverged, match='"odd" returned inf'):
        score(odd, ITEMS + np.inf)


def test_a_function_that_never_returns_is_stopped_and_the_next_call_works():
    @plaudit.reward(limit_s=0.3)
    def stuck(items, context):
        while items.sum() > 0:
            pass
        return np.zeros(len(items))

    started = time.monotonic()
    with pytest.raises(InputError, match=r'"stuck" did not return within .batch of 3. 0.3 s'):
        score(stuck)
    assert time.monotonic() - started < 3
    assert score(stuck, ITEMS * 0).tolist() == [0, 0, 0]


def test_an_import_that_never_ends_is_stopped(write):
    path = write("while True: pass\n")
    with pytest.raises(InputError, match=r'"f" could not be imported within 0.3 s'):
        load_user_term(f"{path}:f", Limits(load_s=0.3))


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (
            "def few_ends(items, context): return [0.0] * len(items)",
            "few_end",
            r'no function "few_end". Did you',
        ),
        ("x = 1\nimport nothing_like_it\n", "f", r"rewards.py:2: cannot be imported: ModuleNotFoundError"),
        ("def f(items, context)\n", "f", r"rewards.py:1: cannot be imported: SyntaxError"),
        ("raise SystemExit", "f", r"rewards.py:1: cannot be imported: SystemExit"),
        (
            "def f(items): return 0",
            "f",
            r"rewards.py:1: f takes \(items\), a reward takes \(items, context\)",
        ),
        (
            "import plaudit\n@plaudit.reward(rnge=(0, 1))\ndef f(i, c): ...",
            "f",
            r'no "rnge". Did you mean "range"',
        ),
        ("import plaudit\n@plaudit.reward(range=(1, 0))\ndef f(i, c): ...", "f", "low must be below high"),
        ("import plaudit\n@plaudit.reward(range=3)\ndef f(i, c): ...", "f", r"expected \(low, high\)"),
        ("import plaudit\n@plaudit.reward(when='now')\ndef f(i, c): ...", "f", "when is 'now', not one of"),
    ],
)
def test_files_that_cannot_be_used(write, text, name, message):
    with pytest.raises(InputError, match=message):
        load_user_term(f"{write(text)}:{name}")


def test_specs_that_name_nothing(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.py: no such file"):
        load_user_term(f"{tmp_path}/nowhere.py:f")
    with pytest.raises(InputError, match=r"is not file.py:function"):
        load_user_term("rewards.txt:f")


def test_a_composition_loads_files_and_takes_their_declaration(write):
    path = write("""
        import neighbour
        import plaudit

        @plaudit.reward(range=(0, 20), direction="minimize")
        def low(items, context):
            from neighbour import top  # still there when called

            return top(items)
        """)
    write("def top(items): return items.max(axis=(1, 2))\n", "neighbour.py")
    composition = Composition([RewardEntry(term=f"{path}:low")], [])
    assert composition.names == (f"{path}:low",)
    assert composition.score(ITEMS, Context()).tolist() == [[-3], [-7], [-11]]
    assert composition.terms[0].range == (0.0, 20.0)


def test_a_decorated_function_is_found_by_its_spec_without_a_second_import():
    @plaudit.reward(range=(0, 1))
    def local(items, context):
        return [0.25] * len(items)

    assert spec_of(local) == f"{os.path.realpath(__file__)}:local"
    again = load_user_term(spec_of(local))
    assert again.name == spec_of(local) and again.score is local.score


def test_decorated_functions_are_keys_of_a_reward():
    @plaudit.reward(range=(0, 1))
    def one(items, context):
        return [1.0] * len(items)

    @plaudit.reward(range=(0, 1))
    def other(items, context):
        return [1.0] * len(items)

    assert {one: 0.5, other: 2.0}[one] == 0.5


def test_a_pathwise_function_runs_in_process_with_its_gradient(write):
    torch = pytest.importorskip("torch")
    path = write("""
        import plaudit

        @plaudit.reward(grad="pathwise")
        def soft(items, context):
            if items.dim() == 1:
                raise ValueError("flat")
            return items.sum(1)
        """)
    term = load_user_term(f"{path}:soft")
    items = torch.ones(2, 3, requires_grad=True)
    term(items, Context()).sum().backward()
    assert items.grad.tolist() == [[1, 1, 1]] * 2
    with pytest.raises(InputError, match=r'rewards.py:7: the reward function "soft" raised ValueError: flat'):
        term(torch.ones(3), Context())


def test_the_child_ends_with_its_term_and_with_its_training():
    pids = []
    for _ in range(2):

        @plaudit.reward
        def who(items, context):
            return [float(os.getpid())]

        pids.append(int(score(who, np.zeros(1))[0]))
    assert pids[0] != pids[1] and not _alive(pids[0])
    child = who.score.child
    child.stop()
    assert not _alive(pids[1])

    reader, writer = os.pipe()
    training = os.fork()
    if training == 0:
        try:
            inner = int(score(who, np.zeros(1))[0])
            os.write(writer, str(inner).encode())
            time.sleep(30)
        finally:
            os._exit(0)
    inner = int(os.read(reader, 20))
    assert _alive(inner)
    os.kill(training, 9)
    os.waitpid(training, 0)
    deadline = time.monotonic() + 5
    while _alive(inner) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(inner)


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_an_interrupted_call_does_not_answer_the_next(monkeypatch):
    @plaudit.reward
    def echo(items, context):
        return items

    assert echo(np.zeros(1), Context()).tolist() == [0]
    with monkeypatch.context() as patch:
        patch.setattr("plaudit.reward.wire.Stream.receive", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            echo(np.ones(1), Context())
    assert echo(np.full(1, 2.0), Context()).tolist() == [2]


def _interrupt(*_):
    raise KeyboardInterrupt


def test_a_child_that_sends_rubbish_is_no_frame():
    child = Child("rubbish", lambda: os.write(_stream(), b"\xff" * 64), Limits())
    with pytest.raises(InputError, match="ended its process"):
        child.start()


def _stream():
    """Return the number of the child's only socket."""
    return next(fd for fd in range(3, 256) if _is_socket(fd))


def _is_socket(fd):
    try:
        return os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")
    except OSError:
        return False
