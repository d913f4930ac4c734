"""Where things live, and that what we make is ours alone (Security)."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from kassettui import paths

ROOT = Path(__file__).resolve().parents[1]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> object:
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_places_follow_the_environment_at_each_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "o"))
    assert paths.default_library_path() == tmp_path / "d" / "kassettui" / "library.kassettui"
    assert paths.log_file() == tmp_path / "s" / "kassettui" / "kassettui.log"
    assert paths.thumbnail_cache_file() == tmp_path / "c" / "kassettui" / "thumbnails.db"
    assert paths.config_file() == tmp_path / "o" / "kassettui" / "config.toml"
    assert paths.own_themes_directory() == tmp_path / "o" / "kassettui" / "themes"


def test_without_xdg_variables_the_usual_places_in_home_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert paths.data_directory() == tmp_path / ".local" / "share" / "kassettui"
    assert paths.state_directory() == tmp_path / ".local" / "state" / "kassettui"
    assert paths.config_directory() == tmp_path / ".config" / "kassettui"
    assert paths.cache_directory() == tmp_path / ".cache" / "kassettui"


def test_asking_for_a_place_makes_nothing() -> None:
    for place in (paths.config_file, paths.default_library_path, paths.log_file, paths.thumbnail_cache_file):
        assert not place().parent.exists()


@pytest.mark.usefixtures("umask")
def test_security_every_directory_that_we_make_is_0700_whatever_the_umask(tmp_path: Path) -> None:
    made = paths.private_directory(tmp_path / "a" / "b" / "c")
    assert [mode(made), mode(made.parent), mode(made.parent.parent)] == [0o700] * 3


def test_a_directory_that_was_there_stays_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2775)
    assert paths.private_directory(shared) == shared
    assert mode(shared) == 0o2775


def test_security_one_of_our_own_directories_is_closed_to_others(tmp_path: Path) -> None:
    own = tmp_path / "kassettui"
    own.mkdir()
    own.chmod(0o755)
    assert mode(paths.own_directory(own)) == 0o700


def test_a_file_in_a_directorys_place_is_an_error_not_a_loop(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"exists|directory"):
        paths.private_directory(tmp_path / "file")
    with pytest.raises(OSError, match=r"exists|directory"):
        paths.private_directory(tmp_path / "file" / "below")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OSError, match="exists"):
        paths.private_directory(tmp_path / "dangling")


def test_a_relative_place_is_made_where_we_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert paths.private_directory("x/y").is_dir()
    assert paths.private_directory(".") == Path()


def test_threads_that_make_the_same_place_at_once_all_get_it(tmp_path: Path) -> None:
    start, errors = threading.Barrier(8), list[OSError]()

    def make() -> None:
        start.wait(20)
        try:
            paths.private_directory(tmp_path / "a" / "b" / "c" / "d")
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert errors == []


def test_themes_are_found_in_a_checkout() -> None:
    assert paths.themes_directory() == ROOT / "themes"
    assert any(paths.themes_directory().glob("*.toml"))


def test_themes_are_found_in_an_installed_package(tmp_path: Path) -> None:
    """As a wheel lays them out: inside the package."""
    site = tmp_path / "site"
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        for name in ("__init__.py", "paths.py"):
            archive.write(ROOT / "kassettui" / name, f"kassettui/{name}")
        archive.writestr("kassettui/themes/one.toml", "")
    with zipfile.ZipFile(tmp_path / "package.zip") as archive:
        archive.extractall(site)
    found = subprocess.run(
        [sys.executable, "-P", "-S", "-c", "from kassettui import paths; print(paths.themes_directory())"],
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert found.stdout.strip() == str(site / "kassettui" / "themes")
