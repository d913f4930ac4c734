"""The settings: strict, documented, and errors that say file, line, key and what to do."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kassettui import config, paths
from kassettui.config import Settings, as_toml, parse, rows, schema
from kassettui.core.errors import ExitCode, InvalidInput, NotFound

FILE = Path("/etc/kassettui.toml")


def refused(text: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        parse(text, FILE)
    return caught.value


def test_an_empty_file_and_none_are_the_defaults() -> None:
    assert parse("", FILE) == Settings() == Settings.load(environ={})


def test_values_are_read_into_their_places() -> None:
    settings = parse(
        """
        [library]
        path = "/shows/abc.kassettui"
        [jobs]
        io = 8
        [import]
        ignore = ["*.bak", "wip/"]
        [media]
        seconds = 30
        [screen]
        images = "sixel"
        [keys]
        quit = "ctrl+q"
        "asset.rate" = ["r", "R"]
        [log]
        level = "debug"
        """,
        FILE,
    )
    assert settings.library_path == Path("/shows/abc.kassettui")
    assert settings.jobs.io == 8
    assert settings.imports.ignore == ("*.bak", "wip/")
    assert settings.media.seconds == 30.0
    assert settings.screen.images == "sixel"
    assert settings.keys == {"quit": "ctrl+q", "asset.rate": ("r", "R")}
    assert settings.log.level == "debug"


@pytest.mark.parametrize(
    ("text", "line", "says", "remedy"),
    [
        ("\n[log]\nlevle = 'info'\n", 3, "[log] has no setting `levle`", "`level`"),
        ("[logs]\nlevel = 'info'", 1, "there is no setting `logs`", "`log`"),
        ("zzz = 1", 1, "there is no setting `zzz`", "library"),
        ("[log]\nlevel = 'loud'", 2, "`log.level`: Invalid enum value 'loud'", "debug, info, warning, error"),
        ("[jobs]\nio = 2\n\nscan = 0", 4, "`jobs.scan`: Expected a whole number >= 1", "directories"),
        ("[jobs]\nio = '2'", 2, "`jobs.io`: Expected a whole number, got text", "files"),
        ("[import]\nhash = 1", 2, "`import.hash`: Expected true or false, got a whole number", "Hash"),
        ("[import]\nignore = ['a', 2]", 2, "`import.ignore`: Expected text, got a whole number", "gitignore"),
        ("log = 3", 1, "`log`: Expected a table, got a whole number", ""),
        ("[keys]\nquit = 7", 2, "`keys.quit`: Expected text or a list", "`kassettui keys`"),
        ("[media]\nseconds = 0", 2, "`media.seconds`: Expected a number > 0", "Seconds"),
        ("media.workers = 99", 1, "`media.workers`: Expected a whole number <= 32", "Decoder"),
    ],
)
def test_a_wrong_setting_is_named_with_file_line_key_and_remedy(
    text: str, line: int, says: str, remedy: str
) -> None:
    error = refused(text)
    assert f"{FILE} line {line}: " in error.message
    assert says in error.message
    assert remedy in error.remedy
    assert error.exit_code is ExitCode.FAILED


def test_what_is_no_toml_is_named_with_its_line() -> None:
    error = refused("[log]\nlevel = \n")
    assert f"{FILE} is not TOML" in error.message
    assert "line 2" in error.message
    assert error.remedy


def test_deep_nonsense_is_an_error_like_others() -> None:
    assert "not TOML" in refused("a = " + "[" * 100_000).message


@given(st.text())
def test_any_text_gives_settings_or_an_error_that_says_what_to_do(text: str) -> None:
    try:
        parse(text, FILE)
        said = ""
    except InvalidInput as error:
        said = error.message
    assert not said or str(FILE) in said


# -- which file, which library ------------------------------------------------------------------------------


def test_a_named_file_goes_before_the_variable_and_that_before_the_default(tmp_path: Path) -> None:
    places = {name: tmp_path / f"{name}.toml" for name in ("named", "variable")}
    for number, place in enumerate(places.values(), 2):
        place.write_text(f"[jobs]\nio = {number}")
    default = paths.private_directory(paths.config_directory()) / "config.toml"
    default.write_text("[jobs]\nio = 9")
    environ = {"KASSETTUI_CONFIG": str(places["variable"])}
    assert Settings.load(places["named"], environ=environ).jobs.io == 2
    assert Settings.load(environ=environ).jobs.io == 3
    assert Settings.load(environ={}).jobs.io == 9
    assert Settings.load(environ={"KASSETTUI_CONFIG": ""}).jobs.io == 9


def test_a_named_file_has_to_exist(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"none\.toml"):
        Settings.load(tmp_path / "none.toml")
    with pytest.raises(NotFound):
        Settings.load(environ={"KASSETTUI_CONFIG": str(tmp_path / "none.toml")})


def test_what_cannot_be_settings_is_refused_without_hanging(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "latin").write_bytes(b"# caf\xe9\n")
    (tmp_path / "huge").write_bytes(b"#" * 2_000_000)
    for name, says in {
        "fifo": "not a file",
        "latin": "not UTF-8",
        "huge": "too large",
        ".": "not a file",
    }.items():
        with pytest.raises(InvalidInput, match=says):
            Settings.load(tmp_path / name)


def test_the_library_of_the_environment_goes_before_the_files(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[library]\npath = '/from/file'\n[jobs]\nio = 7")
    settings = Settings.load(file, environ={"KASSETTUI_LIBRARY": "/from/environment"})
    assert settings.library_path == Path("/from/environment")
    assert settings.jobs.io == 7
    assert Settings.load(file, environ={}).library_path == Path("/from/file")
    assert settings.with_library("/from/option").library_path == Path("/from/option")


def test_library_paths_start_at_home_at_the_file_or_where_we_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.chdir(tmp_path)
    assert parse("library.path = '~/l'", FILE).library_path == Path("/home/me/l")
    assert parse("library.path = 'l'", FILE).library_path == Path("/etc/l")
    assert Settings().with_library("l").library_path == tmp_path / "l"
    assert Settings().library_path == paths.default_library_path()


def test_nothing_is_read_by_importing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KASSETTUI_LIBRARY", "/late")
    assert Settings.load().library_path == Path("/late")


# -- documented ---------------------------------------------------------------------------------------------


def test_every_key_says_what_it_means() -> None:
    for row in rows(Settings()):
        assert row.description.strip().endswith("."), row.key


def test_the_rows_tell_what_differs_from_the_defaults() -> None:
    changed = {
        row.key for row in rows(parse("[jobs]\nio = 9\n[keys]\nquit = 'q'", FILE)) if row.value != row.default
    }
    assert changed == {"jobs.io", "keys"}


def test_settings_as_toml_read_back_to_the_same() -> None:
    settings = parse(
        '[import]\nignore = ["a\\"b", "é\\u007f"]\n[keys]\n"x.y" = ["a", "b"]\nq = "ctrl+q"', FILE
    )
    assert parse(as_toml(settings), FILE) == settings
    assert parse(as_toml(Settings()), FILE) == Settings()


TEXT = st.text(st.characters(exclude_categories=["Cs"]))  # TOML is UTF-8


@given(st.lists(TEXT), st.dictionaries(TEXT, TEXT))
def test_any_text_in_settings_survives_toml(ignore: list[str], keys: dict[str, str]) -> None:
    imports = msgspec.structs.replace(Settings().imports, ignore=tuple(ignore))
    settings = msgspec.structs.replace(Settings(), imports=imports, keys=keys)
    assert parse(as_toml(settings), FILE) == settings


def test_the_toml_form_is_commented() -> None:
    text = as_toml(Settings())
    assert set(tomllib.loads(text)) == {row.key.partition(".")[0] for row in rows(Settings())}
    assert text.count("\n# ") >= len(list(rows(Settings()))) - 1


def test_the_schema_knows_every_key_with_its_limits() -> None:
    told = schema()
    json.dumps(told)
    for row in rows(Settings()):
        section, _, key = row.key.partition(".")
        whole = told["$defs"]["Settings"]["properties"][section]
        if key:
            one = told["$defs"][whole["$ref"].rpartition("/")[2]]["properties"][key]
            assert one["description"] == row.description
            assert one["default"] == row.default
    assert told["$defs"]["JobSettings"]["properties"]["io"]["maximum"] == 64


def test_the_settings_name_a_theme_that_exists() -> None:
    assert (paths.themes_directory() / f"{Settings().screen.theme}.toml").is_file()
    assert config.settings_file(environ={}) == (paths.config_file(), False)
