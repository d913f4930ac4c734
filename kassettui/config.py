"""The settings: what there is, what it means, what it may be, and how a file of them is read (strict TOML).

Read once at start and passed down; nothing is read when this module is imported. Each key's description
stands in its type, so that `config show`, `config schema` and the docs come from here. Places are in `paths`.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, field

from kassettui import paths
from kassettui.core.errors import InvalidInput, NotFound
from kassettui.core.text import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LIBRARY_VARIABLE: Final = "KASSETTUI_LIBRARY"
CONFIG_VARIABLE: Final = "KASSETTUI_CONFIG"
_LARGEST: Final = 1 << 20
"""Bytes of a settings file that we are willing to read."""

_Count = Annotated[int, Meta(ge=1, le=64)]


class LibrarySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The library's place."""

    path: Annotated[
        str,
        Meta(
            description="The library's file. Empty: the default place. `~` is your home; a relative"
            " path starts at this file. The option --library and the variable KASSETTUI_LIBRARY go before it."
        ),
    ] = ""


class JobSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many jobs of a kind run at the same time; the others wait in their queue."""

    io: Annotated[_Count, Meta(description="Jobs that read or write files.")] = 4
    scan: Annotated[_Count, Meta(description="Jobs that walk directories: imports.")] = 1
    decode: Annotated[_Count, Meta(description="Jobs that look into pictures and movies.")] = 2
    device: Annotated[_Count, Meta(description="Copies and moves to one disk.")] = 1


class ImportSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every import does unless its command says otherwise."""

    ignore: Annotated[
        tuple[str, ...],
        Meta(
            description="Patterns (gitignore syntax) of what is left out, besides the usual ones and those of"
            " .kassettuiignore files."
        ),
    ] = ()
    follow_symlinks: Annotated[bool, Meta(description="Walk into symlinked directories; loops are cut.")] = (
        False
    )
    all_files: Annotated[bool, Meta(description="Take in files of no known kind too, as kind `other`.")] = (
        False
    )
    hash: Annotated[
        bool, Meta(description="Hash the content: a touched file with the same content is unchanged.")
    ] = False
    enrich: Annotated[bool, Meta(description="Probe, check and draw what was imported, right after it.")] = (
        True
    )


class MediaSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits of the processes that decode pictures and movies."""

    workers: Annotated[int, Meta(ge=1, le=32, description="Decoder processes.")] = 2
    seconds: Annotated[
        float,
        Meta(gt=0, le=3600, description="Seconds that one file may take before its decoder is replaced."),
    ] = 10.0
    memory_gib: Annotated[
        float, Meta(ge=0.25, le=1024, description="GiB of address space that a decoder may use.")
    ] = 4.0
    megapixels: Annotated[
        int, Meta(ge=1, le=65536, description="Megapixels of the largest picture that is decoded.")
    ] = 512
    thumbnails_gib: Annotated[
        float, Meta(ge=0.01, le=4096, description="GiB of thumbnails that are kept; the least used go first.")
    ] = 2.0


class ColourSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How scene-linear pictures are shown. The configuration is $OCIO, else OpenColorIO's built-in one."""

    display: Annotated[
        str, Meta(description="The display of the OpenColorIO configuration. Empty: its default.")
    ] = ""
    view: Annotated[str, Meta(description="The view of that display. Empty: its default.")] = ""


class ScreenSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the terminal is used."""

    images: Annotated[
        Literal["auto", "kitty", "sixel", "halfblock", "none"],
        Meta(description="How pictures are drawn. auto: the best that the terminal says it can."),
    ] = "auto"
    theme: Annotated[str, Meta(description="The theme's name: one of `kassettui themes`.")] = "kassett-night"
    keymap: Annotated[
        Literal["default", "mc", "plain"],
        Meta(description="The keys to start from: our own, Midnight Commander's, or ctrl+c, ctrl+x, ctrl+v."),
    ] = "default"


class LogSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The log file: see `kassettui log`."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="The least weight that is written. debug names every item of an import."),
    ] = "info"
    megabytes: Annotated[
        int, Meta(ge=1, le=4096, description="Size in MB at which the file is put aside and a new one begun.")
    ] = 5
    keep: Annotated[int, Meta(ge=0, le=100, description="How many older files are kept.")] = 3


class MetricsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Metrics for Prometheus."""

    textfile: Annotated[
        str,
        Meta(
            description="A file (*.prom) in the textfile directory of node_exporter, written when a command"
            " that changed something ends. Empty: none."
        ),
    ] = ""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings; every one has a default, so an empty file is complete."""

    library: LibrarySettings = field(default_factory=LibrarySettings)
    jobs: JobSettings = field(default_factory=JobSettings)
    imports: ImportSettings = field(default_factory=ImportSettings, name="import")
    media: MediaSettings = field(default_factory=MediaSettings)
    colour: ColourSettings = field(default_factory=ColourSettings)
    screen: ScreenSettings = field(default_factory=ScreenSettings)
    keys: Annotated[
        dict[str, str | tuple[str, ...]],
        Meta(
            description="Keys by the action's name, over the keymap: a key, or a list of keys."
            " See `kassettui keys` for the names."
        ),
    ] = field(default_factory=dict)
    log: LogSettings = field(default_factory=LogSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)

    @classmethod
    def load(
        cls, path: str | os.PathLike[str] | None = None, *, environ: Mapping[str, str] | None = None
    ) -> Settings:
        """The settings of `path`, else of $KASSETTUI_CONFIG, else of the default place, where it exists.

        $KASSETTUI_LIBRARY goes before what the file says. Raises InvalidInput with file, line, key and
        remedy; NotFound for a named file that is not there.
        """
        environ = os.environ if environ is None else environ
        file, named = settings_file(path, environ=environ)
        text = _read(file, named=named)
        settings = parse(text, file) if text is not None else cls()
        library = environ.get(LIBRARY_VARIABLE, "")
        return settings.with_library(library) if library else settings

    def with_library(self, path: str | os.PathLike[str]) -> Settings:
        """The same with another library; a relative `path` starts at the current directory."""
        place = os.path.abspath(os.path.expanduser(os.fspath(path)))
        return msgspec.structs.replace(self, library=msgspec.structs.replace(self.library, path=place))

    @property
    def library_path(self) -> Path:
        """Where the library is, whether it exists or not."""
        return Path(self.library.path) if self.library.path else paths.default_library_path()


def settings_file(
    path: str | os.PathLike[str] | None = None, *, environ: Mapping[str, str] | None = None
) -> tuple[Path, bool]:
    """The settings file that counts, and whether somebody named it (then it has to exist)."""
    environ = os.environ if environ is None else environ
    named = os.fspath(path) if path is not None else environ.get(CONFIG_VARIABLE, "")
    return (Path(named).expanduser(), True) if named else (paths.config_file(), False)


def parse(text: str, file: Path) -> Settings:
    """Settings from TOML. `file` is what errors name, and where a relative library path starts."""
    import tomllib

    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidInput(
            f"{file} is not TOML: {error}.",
            remedy="Mend the line, or move the file away to use the defaults.",
        ) from error
    _refuse_unknown(data, Settings, (), text, file)
    try:
        settings = msgspec.convert(data, Settings)
    except msgspec.ValidationError as error:
        raise _wrong_value(str(error), data, text, file) from error
    if not settings.library.path:
        return settings
    place = os.path.join(os.path.abspath(file.parent), os.path.expanduser(settings.library.path))
    return settings.with_library(place)


def schema() -> dict[str, Any]:
    """The settings as a JSON Schema, with every description, limit and default."""
    return msgspec.json.schema(Settings)


@dataclass(frozen=True, slots=True)
class Setting:
    """One key as a person sees it."""

    key: str
    """`section.name`, as in the file."""
    value: object
    default: object
    description: str


def rows(settings: Settings) -> Iterator[Setting]:
    """Every key with its value, its default and what it means, in the order above."""
    defaults = Settings()
    for section in msgspec.structs.fields(Settings):
        mine, standard = getattr(settings, section.name), getattr(defaults, section.name)
        if not isinstance(mine, Struct):
            yield Setting(section.encode_name, mine, standard, _meta(section.type).description or "")
            continue
        for key in msgspec.structs.fields(mine):
            yield Setting(
                f"{section.encode_name}.{key.encode_name}",
                getattr(mine, key.name),
                getattr(standard, key.name),
                _meta(key.type).description or "",
            )


def as_toml(settings: Settings) -> str:
    """The settings as a commented TOML file that `parse` reads back to the same."""
    lines: list[str] = []
    section = ""
    for row in rows(settings):
        name, dot, key = row.key.partition(".")
        if name != section:
            lines += ["", f"[{name}]"] if lines else [f"[{name}]"]
            section = name
        lines.append(f"# {row.description}")
        if dot:
            lines.append(f"{key} = {_toml(row.value)}")
        elif isinstance(row.value, dict):
            lines += [f"{_toml(action)} = {_toml(keys)}" for action, keys in row.value.items()]
    return "\n".join(lines) + "\n"


# -- reading and its errors ---------------------------------------------------------------------------------


def _read(file: Path, *, named: bool) -> str | None:
    """The file's text; None where the default one does not exist."""
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InvalidInput(f"{file} is not a file.", remedy="Name a TOML file with --config.")
        if status.st_size > _LARGEST:
            raise InvalidInput(f"{file} is too large for settings.", remedy="Name a TOML file with --config.")
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        if not named:
            return None
        raise NotFound(
            f"There are no settings at {file}.", remedy="Name an existing file, or none."
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} is not UTF-8.", remedy="Save it as UTF-8.") from error
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be read: {error.strerror}.", remedy="Give yourself the right to read it."
        ) from error


def _refuse_unknown(
    data: Mapping[str, object], struct: type[Struct], above: tuple[str, ...], text: str, file: Path
) -> None:
    known = {one.encode_name: one for one in msgspec.structs.fields(struct)}
    for name, value in data.items():
        at = (*above, name)
        if name not in known:
            raise _unknown(at, sorted(known), text, file)
        kind = known[name].type
        if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, Struct):
            _refuse_unknown(value, kind, at, text, file)


def _unknown(at: tuple[str, ...], known: list[str], text: str, file: Path) -> InvalidInput:
    from difflib import get_close_matches

    close = get_close_matches(at[-1], known, n=1, cutoff=0.5)
    advice = f"Did you mean `{close[0]}`?" if close else f"There are: {', '.join(known)}."
    where = f"[{'.'.join(at[:-1])}] has" if at[:-1] else "there is"
    return InvalidInput(f"{_place(file, text, at)}: {where} no setting `{at[-1]}`.", remedy=advice)


_AT: Final = re.compile(r" - at `\$\.?(?P<key>[^`]*)`$")


def _wrong_value(message: str, data: Mapping[str, Any], text: str, file: Path) -> InvalidInput:
    found = _AT.search(message)
    at = tuple(re.sub(r"\[[^]]*\]", "", found["key"]).split(".")) if found else ()
    problem = re.sub(r"`([\w |]+)`", _plain_type, message[: found.start()] if found else message)
    meaning = next((row for row in rows(Settings()) if row.key == ".".join(at)), None)
    if at == ("keys",) and isinstance(data["keys"], dict):  # msgspec does not say which one
        at += tuple(name for name, value in data["keys"].items() if not _is_keys(value))[:1]
    choices = _choices(at)
    advice = f"It is one of {', '.join(choices)}." if choices else meaning.description if meaning else ""
    return InvalidInput(f"{_place(file, text, at)}: `{'.'.join(at)}`: {problem}.", remedy=advice)


def _is_keys(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


_TYPES: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}


def _plain_type(match: re.Match[str]) -> str:
    return " or ".join(_TYPES.get(name, name) for name in match[1].split(" | "))


def _choices(at: tuple[str, ...]) -> tuple[str, ...]:
    kind: object = Settings
    for name in at:
        if not (isinstance(kind, type) and issubclass(kind, Struct)):
            return ()
        kind = next((one.type for one in msgspec.structs.fields(kind) if one.encode_name == name), None)
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return tuple(map(str, get_args(bare))) if get_origin(bare) is Literal else ()


def _place(file: Path, text: str, at: tuple[str, ...]) -> str:
    """File and line of a key, as far as a look over the lines tells."""
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([^\[\]]+)\]", line):
            section = _dotted(header[1])
        here = section
        if key := re.match(r"\s*([\w.\-\"' ]+?)\s*=", line):
            here = section + _dotted(key[1])
        if here[: len(at)] == at:
            return f"{file} line {number}"
    return str(file)


def _dotted(name: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in name.split("."))


def _meta(kind: object) -> Meta:
    """The outermost Meta of an annotated type: ours, with the description."""
    return next((one for one in reversed(get_args(kind)[1:]) if isinstance(one, Meta)), Meta())


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return '"' + re.sub(r'[\x00-\x1f\x7f"\\]', _escaped, as_json(value)) + '"'
        case tuple() | list():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            raise TypeError(f"a setting of type {type(value).__name__} has no TOML form")


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    return f"\\{character}" if character in '"\\' else f"\\u{ord(character):04x}"
