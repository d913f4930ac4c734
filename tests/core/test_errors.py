"""The exit codes are a contract with farm scripts (spec: cli, "Exit codes")."""

from __future__ import annotations

import inspect

from kassettui.core import errors
from kassettui.core.errors import ExitCode, KassettuiError

ALL = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, KassettuiError)]


def test_exit_codes_are_the_table_of_the_specification() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0,
        "FAILED": 1,
        "NOT_FOUND": 2,
        "OFFLINE": 3,
        "PARTIAL": 4,
        "DAMAGED": 5,
        "BUSY": 7,
        "STALE_PLAN": 8,
        "INTERRUPTED": 130,
    }


def test_each_error_knows_its_code_and_no_code_names_two() -> None:
    codes = [cls.code for cls in ALL]
    assert len(set(codes)) == len(codes)
    assert all(cls.exit_code is not ExitCode.DONE for cls in ALL)


def test_an_error_is_one_line_that_says_what_and_what_to_do() -> None:
    error = errors.SourceOffline("/shows/abc cannot be reached.", remedy="Mount it and import again.")
    assert str(error) == "/shows/abc cannot be reached. Mount it and import again."
    assert error.exit_code == 3
