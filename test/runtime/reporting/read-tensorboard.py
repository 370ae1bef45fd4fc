"""Prints the scalars of a run folder as TensorBoard itself reads them.

    pip install tensorboard
    python test/runtime/reporting/read-tensorboard.py runs/<run>
"""
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
for tag in events.Tags()["scalars"]:
    scalars = events.Scalars(tag)
    first, last = scalars[0], scalars[-1]
    print(f"{tag:28}{len(scalars):6}  {first.value:.6g} at step {first.step} to {last.value:.6g} at step {last.step}")
