"""The life of a run: trained, loaded, resumed, judged, explained and mended.

    run = rg.train("houses.csv", target="price")
    run.predict("new_houses.csv")
    rg.load(run.path).report()

The command calls this room and nothing below it that trains.
"""

from retrograd.runs.events import RunCallback
from retrograd.runs.face import load, start, train
from retrograd.runs.run import Run

__all__ = ["Run", "RunCallback", "load", "start", "train"]
