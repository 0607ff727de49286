"""Settings that cannot be used are refused before any work, since a verdict would be final.

Not here: what each of them changes (the stages), and that all are described (`test_docs`).
"""

from __future__ import annotations

import pytest

from pipelines.core.settings import SettingError, current_settings, truth


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PASSERELLE_TOKEN_KEY", "not a key"),
        ("PASSERELLE_TOKEN_KEY", "00" * 31),
        ("PASSERELLE_HOME", "s3://bucket/home"),
        ("PASSERELLE_THREADS", "many"),
    ],
)
def test_what_cannot_be_used_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=r"PASSERELLE_|invalid literal"):
        current_settings()


def test_a_key_of_32_bytes_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSERELLE_TOKEN_KEY", "0f" * 32)
    assert current_settings().home.is_absolute()


@pytest.mark.parametrize(
    ("word", "is_yes"),
    [("", True), ("yes", True), ("TRUE", True), (" 1 ", True), ("no", False), ("Off", False)],
)
def test_yes_and_no_are_read(monkeypatch: pytest.MonkeyPatch, word: str, is_yes: bool) -> None:
    monkeypatch.setenv("PASSERELLE_LOCAL_SIGN_IN", word)
    assert truth("PASSERELLE_LOCAL_SIGN_IN", default=True) is is_yes


@pytest.mark.parametrize("word", ["fasle", "non", "nope", "2"])
def test_what_is_neither_yes_nor_no_is_no_default(
    monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("PASSERELLE_LOCAL_SIGN_IN", word)
    with pytest.raises(SettingError, match="must be yes or no"):
        truth("PASSERELLE_LOCAL_SIGN_IN", default=True)
