"""`snfd.lending`: what a lease remembers of who took it."""

from __future__ import annotations

import inspect

from twisted.trial.unittest import SynchronousTestCase

from snfd.lending import Stack, stack_here, stack_text


def taken() -> Stack:
    """As the pool does for whoever called it."""
    return stack_here(depth=2)


class StackTests(SynchronousTestCase):
    """The stack that is told of a lease that was dropped."""

    def test_it_names_the_lines_of_the_callers_innermost_last(self) -> None:
        def outer() -> Stack:
            return taken()

        stack, frame = outer(), inspect.currentframe()
        assert frame is not None
        told = stack_text(stack).splitlines()
        line = frame.f_lineno - 3
        self.assertIn(f"{__file__}:{line} in ", told[0])
        self.assertIn(f"{__file__}:{line - 2} in ", told[1])
        self.assertIn("outer", told[1])
