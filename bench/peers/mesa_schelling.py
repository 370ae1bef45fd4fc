"""Schelling's model on Mesa: 40 x 40 cells, 1000 agents, content with three neighbors of their own, until all are."""

import mesa
from measuring import finish, rate
from mesa.discrete_space import CellAgent, OrthogonalMooreGrid


class Resident(CellAgent):
    def __init__(self, model, group, cell):
        super().__init__(model)
        self.group = group
        self.happy = False
        self.cell = cell

    def step(self):
        if self.happy:
            return
        same = sum(1 for other in self.cell.neighborhood.agents if other.group == self.group)
        if same >= 3:
            self.happy = True
        else:
            self.model.moved += 1
            self.cell = self.model.grid.select_random_empty_cell()


class Schelling(mesa.Model):
    def __init__(self, seed):
        super().__init__(seed=seed)
        self.moved = 0
        self.grid = OrthogonalMooreGrid((40, 40), torus=False, capacity=1, random=self.random)
        for i in range(1000):
            Resident(self, 1 if i < 500 else 2, self.grid.select_random_empty_cell())

    def step(self):
        self.moved = 0
        self.agents.do("step")


seeds = iter(range(1_000_000))


def run():
    model = Schelling(next(seeds))
    model.step()
    while model.moved > 0:
        model.step()


rate("Schelling, Mesa", 1, run)
finish()
