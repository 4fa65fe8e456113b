"""The texts of letters: ours, and those that replace them.

A text is ``<kind>.txt``, or ``<kind>.<language>.txt``: the first line
``Subject: …``, an empty line, the rest. ``signature.txt`` ends every letter.
Each ``$name`` in it stands for a value; values are data, whatever they hold. A
line all of whose values are empty is left out. What stands alone on its line
behind ``>`` or spaces has them before each of its own lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from string import Template

from attrs import asdict, field, frozen

from snfd.errors import Invalid
from snfd.mail.model import MULTILINE, VALUES, Kind

OURS = Path(__file__).parent / "templates"
SIGNATURE = "signature"

MAX_LINE = 2000
"""Characters of a value that stands in one line."""

MAX_LINES = 20_000
"""Characters of a value that keeps its lines."""

MAX_SUBJECT = 200

_BREAKS = re.compile(r"\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_ALONE = re.compile(r"([> ]*)\$(?:\{(\w+)\}|(\w+))\Z")


@frozen
class Branding:
    """What the cloud is called.

    :ivar site: URL of its home page.
    :ivar contact: address for those who need help.
    """

    service: str = "snfd"
    company: str = ""
    company_url: str = ""
    contact: str = ""
    site: str = ""
    footer: str = ""


@frozen
class Text:
    """A template, taken apart."""

    subject: Template
    lines: tuple[str, ...] = field(repr=False)


@frozen
class Texts:
    """A text for every kind of letter, by kind and language (empty: any)."""

    by_kind: Mapping[tuple[str, str], Text]
    signature: Text
    branding: Branding

    def render(
        self, kind: str, language: str, values: Mapping[str, str]
    ) -> tuple[str, str]:
        """Subject and body of a letter.

        :raises Invalid: there is no text for the kind.
        """
        text = self.by_kind.get((kind, language)) or self.by_kind.get((kind, ""))
        if text is None:
            raise Invalid(f"no text for letters of kind {kind!r}")
        known = VALUES.get(Kind(kind), frozenset())
        filled = {name: cleaned(name, values.get(name, "")) for name in known}
        branding = {
            name: cleaned(name, value) for name, value in asdict(self.branding).items()
        }
        filled = {**branding, **filled}
        subject = one_line(text.subject.safe_substitute(filled))[:MAX_SUBJECT]
        body = _body(text.lines, filled)
        return subject, f"{body}\n\n{_body(self.signature.lines, filled)}\n"


def load(folder: Path | None, branding: Branding) -> Texts:
    """Our texts, and those in ``folder`` in their place.

    :raises Invalid: a text is of no kind that there is, is not well formed, or
        names a value that its kind does not have.
    """
    found = dict(_read(OURS))
    if folder is not None:
        if not folder.is_dir():
            raise Invalid(f"mail.templates: there is no directory {folder}")
        found.update(_read(folder))
    signature = found.pop((SIGNATURE, ""))
    missing = [kind for kind in Kind if (str(kind), "") not in found]
    if missing:
        raise Invalid(f"no text for letters of kind {missing[0]}")
    return Texts(found, signature, branding)


def one_line(text: str) -> str:
    """``text`` with every break and blank made one blank."""
    return " ".join(_UNSEEN.sub("", text).split())


def cleaned(name: str, value: str) -> str:
    """A value as it may stand in a letter: no control characters, of some length."""
    if name not in MULTILINE:
        return one_line(value)[:MAX_LINE]
    lines = _UNSEEN.sub("", _BREAKS.sub("\n", value)[:MAX_LINES])
    return lines.strip("\n").rstrip()


def _read(folder: Path) -> Iterator[tuple[tuple[str, str], Text]]:
    for path in sorted(folder.glob("*.txt")):
        kind, _, language = path.stem.partition(".")
        if kind != SIGNATURE and kind not in set(Kind):
            near = get_close_matches(kind, [*map(str, Kind), SIGNATURE], 1, 0.4)
            hint = f"; did you mean {near[0]}.txt?" if near else ""
            raise Invalid(f"{path}: there are no such letters{hint}")
        yield (kind, language), _parsed(path, kind)


def _parsed(path: Path, kind: str) -> Text:
    try:
        whole = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path}: {error}") from None
    head, subject, rest = "", "", whole
    if kind != SIGNATURE:
        head, _, rest = whole.partition("\n")
        name, colon, subject = head.partition(":")
        if (name, colon) != ("Subject", ":") or not subject.strip():
            raise Invalid(f"{path}: the first line must be Subject: and the subject")
    _check(path, whole, kind)
    return Text(Template(subject.strip()), tuple(rest.strip("\n").split("\n")))


def _check(path: Path, whole: str, kind: str) -> None:
    known = set(asdict(Branding()))
    if kind != SIGNATURE:
        known |= VALUES[Kind(kind)]
    for number, line in enumerate(whole.split("\n"), 1):
        template = Template(line)
        if not template.is_valid():
            raise Invalid(f"{path}:{number}: a $ must be followed by a name, or be $$")
        for name in template.get_identifiers():
            if name not in known:
                names = ", ".join(sorted(known))
                raise Invalid(f"{path}:{number}: no value ${name}; there are: {names}")


def _body(lines: tuple[str, ...], values: Mapping[str, str]) -> str:
    told = [text for line in lines for text in _line(line, values)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(told)).strip("\n")


def _line(line: str, values: Mapping[str, str]) -> Iterator[str]:
    template = Template(line)
    names = template.get_identifiers()
    if names and not any(values[name] for name in names):
        return
    alone = _ALONE.match(line)
    if alone is None:
        yield template.substitute(values)
        return
    for part in values[alone[2] or alone[3]].split("\n"):
        yield (alone[1] + part).rstrip()
