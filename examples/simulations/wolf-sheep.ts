/**
 * Wolves eat sheep, sheep eat grass, and grass grows again: Wilensky's model (1997), with the rules and numbers of Mesa's
 * example. All have a turn a day, sheep first, in a new order each time.
 */
import * as Schema from "effect/Schema"
import { Simulation } from "troupe/simulation"

type Animal = Simulation.Agent<{ energy: number }, Simulation.Protocol>
const state = Schema.Struct({ energy: Schema.Finite })

export default Simulation.make("WolfSheep", {
  module: import.meta.url,
  config: Schema.Struct({ sheep: Schema.Int, wolves: Schema.Int, regrowth: Schema.Int }),
  defaults: { sheep: 100, wolves: 50, regrowth: 30 },
  until: 201
}, (sim, { regrowth, sheep, wolves }) => {
  const size = { width: 20, height: 20, torus: true, shape: "von neumann" } as const
  const flock = sim.grid("flock", size)
  const pack = sim.grid("pack", size)
  /** After which day the grass of a cell is grown. */
  const grown = flock.layer("grown", "int32")
  const { random } = sim

  const born = (kind: Animal, field: Simulation.Grid, cell: number, energy: number) =>
    field.place(sim.spawn(kind, { energy }), cell)
  const move = (field: Simulation.Grid, cells: ReadonlyArray<number>) => {
    if (cells.length > 0) field.place(sim.self, random.choice(cells))
    return field.cellOf(sim.self)!
  }
  /** Who has no energy left dies; others have a child now and then, and share their energy with it. */
  const liveOn = (kind: Animal, field: Simulation.Grid, self: { energy: number }, fertility: number) => {
    if (self.energy < 0) return sim.stop()
    if (!random.bernoulli(fertility)) return
    self.energy /= 2
    born(kind, field, field.cellOf(sim.self)!, self.energy)
  }

  const Sheep: Animal = Simulation.agent("Sheep", {
    state,
    on: {
      Step: (self, _, { now }) => {
        const safe = flock.neighborhood(flock.cellOf(sim.self)!).filter((cell) => pack.isEmpty(cell))
        const green = safe.filter((cell) => now > grown[cell]!)
        const here = move(flock, green.length > 0 ? green : safe)
        self.energy--
        if (now > grown[here]!) {
          self.energy += 4
          grown[here] = now + regrowth
        }
        liveOn(Sheep, flock, self, 0.04)
      }
    }
  })
  const Wolf: Animal = Simulation.agent("Wolf", {
    state,
    on: {
      Step: (self) => {
        const around = pack.neighborhood(pack.cellOf(sim.self)!)
        const rich = around.filter((cell) => !flock.isEmpty(cell))
        const prey = flock.at(move(pack, rich.length > 0 ? rich : around))
        self.energy += prey.length > 0 ? 19 : -1
        if (prey.length > 0) sim.stop(random.choice(prey))
        liveOn(Wolf, pack, self, 0.05)
      }
    }
  })
  for (let cell = 0; cell < flock.size; cell++) grown[cell] = random.bernoulli(0.5) ? 0 : random.integers(0, 30)
  for (let i = 0; i < sheep; i++) born(Sheep, flock, random.integers(0, flock.size), random.uniform(0, 8))
  for (let i = 0; i < wolves; i++) born(Wolf, pack, random.integers(0, pack.size), random.uniform(0, 40))
  sim.schedule("Day", { activate: [Sheep, Wolf], order: "shuffled" })
  sim.collect("sheep", () => sim.agents(Sheep).length)
  sim.collect("wolves", () => sim.agents(Wolf).length)
})
