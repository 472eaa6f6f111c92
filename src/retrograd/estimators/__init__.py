"""Networks as scikit-learn estimators: `fit`, `predict`, `score`, and all that scikit-learn does.

    model = rg.NeuralClassifier().fit(X, y)
    model.predict_proba(X)

They read tables, train and stop as `rg.train` does for a table; see docs/estimators.md.
"""

from retrograd.estimators.classifier import NeuralClassifier
from retrograd.estimators.regressor import NeuralRegressor
from retrograd.estimators.threads import limit_threads

__all__ = ["NeuralClassifier", "NeuralRegressor"]

limit_threads()
