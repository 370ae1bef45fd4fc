"""Mesa's own wolf-sheep example: time averages of both populations over the first steps, for several seeds, as JSON."""
import json, sys, time
from mesa.examples.advanced.wolf_sheep.model import WolfSheep
from mesa.experimental.devs import ABMSimulator

runs, steps = int(sys.argv[1]), int(sys.argv[2])
rows = []
began = time.process_time()
for seed in range(runs):
    simulator = ABMSimulator()
    model = WolfSheep(seed=seed, simulator=simulator)
    simulator.run_for(steps)
    data = model.datacollector.get_model_vars_dataframe()
    rows.append([float(data["Sheep"].mean()), float(data["Wolves"].mean())])
print(json.dumps({"seconds": time.process_time() - began, "runs": rows}))
