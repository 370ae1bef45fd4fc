"""Mesa's own wolf-sheep example with its defaults: 100 steps."""

from measuring import finish, rate
from mesa.examples.advanced.wolf_sheep.model import WolfSheep
from mesa.experimental.devs import ABMSimulator

STEPS = 100
seeds = iter(range(1, 1_000_000))


def run():
    model = WolfSheep(simulator=ABMSimulator(), seed=next(seeds))
    for _ in range(STEPS):
        model.step()


rate("wolf-sheep, Mesa", STEPS, run)
finish()
