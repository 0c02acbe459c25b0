"""`plaudit solve` on the real command line."""

from PIL import Image

LEVELS = "; 1\n#######\n#@ $ .#\n#######\n\n; 2\n#####\n#$ .#\n# @ #\n#####\n"


def test_solutions_are_printed_written_and_shown(cli, tmp_path):
    (tmp_path / "two.xsb").write_text(LEVELS)
    said = cli("solve", "two.xsb", "--level", 1, "--out", "one.lurd", "--gif", "one.gif", "--json")
    assert said.code == 0
    assert said.json["levels"][0]["verdict"] == "solved"
    assert (tmp_path / "one.lurd").read_text() == "rRR\n"
    assert Image.open(tmp_path / "one.gif").n_frames == 4


def test_a_level_without_solution_has_an_exit_code_of_its_own(cli, tmp_path):
    (tmp_path / "two.xsb").write_text(LEVELS)
    said = cli("solve", "two.xsb", "--json")
    assert said.code == 6
    assert said.json["unsolved"] == [2]


def test_bad_words_are_told_plainly(cli, tmp_path):
    (tmp_path / "two.xsb").write_text(LEVELS)
    assert "It holds 2" in cli("solve", "two.xsb", "--level", 3).err
    assert "is no time" in cli("solve", "two.xsb", "--budget", "500").err
    assert cli("solve", "none.xsb").code == 2
