"""Names that look like others': letters of several scripts, and lookalikes.

Sources: UTS 39, 5.1 and 5.2 (restriction levels); UAX 31, table 5 (scripts).
"""

from __future__ import annotations

from unicodedata import category, name, normalize

from snfd.errors import Invalid

_TOGETHER = (
    frozenset(("CJK", "HIRAGANA", "KATAKANA", "LATIN")),
    frozenset(("CJK", "BOPOMOFO", "LATIN")),
    frozenset(("CJK", "HANGUL", "LATIN")),
)
"""Scripts that people write together and that share no shapes."""

_ALONE = frozenset(
    (
        "LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN", "HEBREW", "ARABIC",
        "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU",
        "KANNADA", "MALAYALAM", "SINHALA", "THAI", "LAO", "TIBETAN", "MYANMAR",
        "ETHIOPIC", "KHMER",
    )
)  # fmt: skip
"""Scripts in common use; in others one finds shapes, not names."""

_LATIN_LOOKS = frozenset("аеорсухѕіјһԁԛԝӏгкορνυικαχγօսոցհ")
"""Cyrillic, Greek and Armenian small letters that pass for Latin ones."""


def check_looks(text: str, what: str) -> None:
    """Pass if ``text`` is hardly taken for something else in other letters.

    :param what: what it is, for the message.
    :raises Invalid: it has letters of several scripts, of one that is out of use,
        in odd forms, or only such as look like Latin ones.
    """
    if normalize("NFKC", text) != text:
        raise Invalid(f"{what} must not have letters in odd forms")
    letters = [one for one in text if category(one).startswith("L")]
    scripts = {_script(one) for one in letters}
    alone = len(scripts) < 2 and scripts <= _ALONE
    if not alone and not any(scripts <= some for some in _TOGETHER):
        raise Invalid(f"{what} must not have letters of several scripts")
    if letters and _LATIN_LOOKS.issuperset(letters):
        raise Invalid(f"{what} could be taken for one in Latin letters")


def check_address_looks(email: str) -> None:
    """The same for an address: its local part, and each label of its domain.

    :raises Invalid: as `check_looks`.
    """
    local, _, domain = email.partition("@")
    for part in (local, *domain.split(".")):
        check_looks(part, "an address")


def _script(letter: str) -> str:
    """The script of a letter, by its name; letters of phonetics are in none."""
    script = name(letter, "").partition(" ")[0]
    if script == "LATIN" and not (letter < "\u0250" or "\u1e00" <= letter <= "\u1eff"):
        return "PHONETIC"
    return script
