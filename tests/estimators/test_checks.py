"""scikit-learn's contract: all of its own checks, without exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks
from support.interpreters import FreshPython

import retrograd as rg


@parametrize_with_checks([rg.NeuralRegressor(), rg.NeuralClassifier()])  # type: ignore[untyped-decorator]  # scikit-learn's
def test_scikit_learns_checks_pass(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_the_checks_of_the_array_api_pass(fresh_python: FreshPython) -> None:
    """They are skipped unless SciPy was imported with SCIPY_ARRAY_API set."""
    result = fresh_python(
        "import os\n"
        "os.environ['SCIPY_ARRAY_API'] = '1'\n"
        "import retrograd as rg\n"
        "from sklearn.utils.estimator_checks import check_array_api_input\n"
        "for each in (rg.NeuralRegressor, rg.NeuralClassifier):\n"
        "    check_array_api_input(each.__name__, each(), array_namespace='numpy',\n"
        "                          expect_only_array_outputs=False)\n",
        timeout=240,
    )
    assert result.returncode == 0, result.stderr
