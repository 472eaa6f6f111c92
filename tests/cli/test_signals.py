"""SIGTERM ends a command as Ctrl-C does, and says so by its exit code."""

from __future__ import annotations

import signal
import sys

import pytest

from retrograd.cli.signals import ending_in_order


def command(number: signal.Signals, code: int) -> None:
    """A command that `number` reaches, and that ends with `code`."""
    with ending_in_order():
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            sys.exit(code)


def ended_by(number: signal.Signals, code: int = 130) -> int | str | None:
    """The exit code of such a command."""
    with pytest.raises(SystemExit) as end:
        command(number, code)
    return end.value.code


def test_ctrl_c_is_130_and_sigterm_143() -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert ended_by(signal.SIGINT) == 130
    assert ended_by(signal.SIGTERM) == 143
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_exit_code_stays_as_it_is() -> None:
    assert ended_by(signal.SIGTERM, 1) == 1


def test_where_ctrl_c_is_ignored_it_stays_so_and_sigterm_is_heard() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with ending_in_order():
            signal.raise_signal(signal.SIGINT)
        assert ended_by(signal.SIGTERM) == 143
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
