"""The files of a run folder, and the keys within them: what is on disk, apart from any wording."""

__all__ = [
    "CHECKPOINT",
    "EPOCHS",
    "FAILURE",
    "FINDINGS",
    "FIX",
    "KEPT_TWICE",
    "MANIFEST",
    "OPTIONS",
    "PREPROCESSING",
    "RECORD",
    "REPORT",
    "SCORES",
    "SEEN",
    "TEST",
    "TRAIN",
    "TRIALS",
    "VALIDATION",
    "WEIGHTS",
]

OPTIONS = "config.json"  # the options, resolved
PREPROCESSING = "preprocessing.json"  # the schema and what was measured on the training rows
WEIGHTS = "weights.safetensors"  # those that were best on the validation rows
CHECKPOINT = "checkpoint.safetensors"  # what resuming needs: weights, optimizer, random numbers
EPOCHS = "metrics.jsonl"  # one line an epoch, written as it ends
SCORES = "scores.json"  # figures of merit beside the baseline's, by the rows they are of
SEEN = "seen.safetensors"  # fingerprints of the rows that it was trained on and stopped by
FINDINGS = "findings.json"  # what was found wrong when training ended
REPORT = "report.html"  # all of it as one page
MANIFEST = "manifest.json"  # what the run is: versions, seed, its data, checksums of the files

# The files whose contents before are kept too, under names of their own.
KEPT_TWICE = (WEIGHTS, CHECKPOINT)

# Folders within it.
RECORD = "record"  # how activations, gradients and updates flowed
FAILURE = "failure"  # the state before the call whose loss was not finite
FIX = "fix"  # remedies that were tried: the changed options under OPTIONS, and the trials
TRIALS = "trials.json"

# The parts of the data: the keys of SCORES and SEEN.
TRAIN = "train"
VALIDATION = "validation"
TEST = "test"
