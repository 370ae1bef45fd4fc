/** A lattice: all see it as it was and it changes at once, nobody is lost, and each share has the same of it. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import Schelling from "../../examples/simulations/schelling-synchronous.ts"
import { Simulation } from "../../src/simulation/index.ts"

/** What each share has of a lattice. */
const copies = (world: Simulation.World): ReadonlyArray<Record<string, unknown>> =>
  world.engine.kinds.flatMap((kind, index) =>
    kind.is === "agent" && "bandOf" in kind.definition
      ? world.engine.table.shares.flatMap((share) =>
        Array.from(share?.members[index] ?? [], (agent) =>
          kind.definition.save(world.engine.table.states[world.engine.table.find(agent)]) as Record<string, unknown>)
      )
      : []
  )

const small = { width: 12, height: 10, people: 80 }

describe("lattices", () => {
  it("lose nobody, are the same in each share, and go on from any checkpoint", () => {
    const world = Simulation.open(Schelling, { seed: 3, config: small })
    const kept: Array<Uint8Array> = []
    for (let time = 0.5; time < 12; time += 1.5) {
      world.run(time)
      kept.push(world.checkpoint())
      const groups = copies(world).map(({ layers }) => (layers as { readonly group: Uint8Array }).group)
      assert.strictEqual(groups.length, 8)
      for (const group of groups) assert.deepStrictEqual(group, groups[0])
      for (const which of [1, 2]) assert.strictEqual(groups[0]!.filter((group) => group === which).length, 40)
    }
    world.run(200)
    assert.isTrue(world.isOver)
    for (const bytes of kept) {
      const again = Simulation.restore(Schelling, bytes)
      again.run(200)
      assert.deepStrictEqual(again.result, world.result)
    }
  })

  it("are what they were until the next tick, when one of several gets a cell", () => {
    const seen: Array<ReadonlyArray<number>> = []
    const weights: Array<ReadonlyArray<number>> = []
    const model = Simulation.make("Race", { lookahead: 0.5, shares: 3 }, (sim) => {
      const Track = Simulation.lattice("Track", {
        width: 2,
        height: 3,
        layers: { who: "int8", weight: "float64" },
        every: 0.5,
        step: (track, sim) => {
          if (track.first === 0) {
            seen.push([...track.who])
            weights.push([...track.weight])
          }
          // All in the first column want the last cell; the second row gets heavier.
          if (sim.now === 0.5 && track.who[track.first]! > 0) track.move(track.first, 5)
          if (track.first === 2) track.set("weight", 3, sim.now)
        }
      })
      sim.spread(Track, ({ weight, who }) => {
        who.set([1, 0, 2, 0, 3, 0])
        weight.set([10, 0, 20, 0, 30, 0])
      })
    })
    Simulation.runSync(model, { seed: 1, until: 1.6 })
    assert.deepStrictEqual(seen[0], [1, 0, 2, 0, 3, 0])
    const [winner] = seen[1]!.slice(5)
    assert.include([1, 2, 3], winner)
    assert.deepStrictEqual(seen[1], [1, 0, 2, 0, 3, winner!].map((who, cell) => cell < 5 && who === winner ? 0 : who))
    assert.deepStrictEqual(seen[2], seen[1])
    assert.strictEqual(weights[1]![5], 10 * winner!)
    assert.deepStrictEqual([weights[0]![3], weights[1]![3], weights[2]![3]], [0, 0.5, 1])
    const winners = new Set(Array.from({ length: 20 }, (_, seed) => {
      seen.length = 0
      Simulation.runSync(model, { seed, until: 1.1 })
      return seen[1]![5]
    }))
    assert.deepStrictEqual([...winners].toSorted(), [1, 2, 3])
  })

  it("have neighborhoods at their edges, and around a torus", () => {
    const found: Array<ReadonlyArray<number>> = []
    const of = (torus: boolean, shape: "moore" | "von neumann") =>
      Simulation.runSync(
        Simulation.make("Around", { until: 2 }, (sim) => {
          const Field = Simulation.lattice("Field", {
            width: 4,
            height: 3,
            layers: { x: "uint8" },
            torus,
            shape,
            step: (field) => void found.push(field.neighborhood(0), field.neighborhood(5, { includeCenter: true }))
          })
          sim.spread(Field)
        })
      )
    of(false, "von neumann")
    of(true, "von neumann")
    of(false, "moore")
    assert.deepStrictEqual(found, [[1, 4], [1, 4, 5, 6, 9], [8, 3, 1, 4], [1, 4, 5, 6, 9], [1, 4, 5], [
      0,
      1,
      2,
      4,
      5,
      6,
      8,
      9,
      10
    ]])
  })

  it("are refused in one sentence where they cannot be", () => {
    const layers = { x: "uint8" } as const
    const step = () => {}
    assert.throws(() => Simulation.lattice("L", { width: 0, height: 3, layers, step }), /^L has 0 by 3 cells: /)
    assert.throws(
      () => Simulation.lattice("L", { width: 1, height: 3, layers, step, every: 0 }),
      /^L ticks every 0: give a finite period/
    )
    assert.throws(
      () => Simulation.lattice("L", { width: 1, height: 3, layers: { moved: "uint8" }, step }),
      /^L\.moved is a member that all have/
    )
    const run = (step: (cells: Simulation.Cells<typeof layers>) => void, every = 1) =>
      Simulation.runSync(Simulation.make("Wrong", { lookahead: 1, shares: 2, until: 3 }, (sim) => {
        sim.spread(Simulation.lattice("L", { width: 2, height: 2, layers, step, every }))
      }))
    assert.throws(
      () => run(() => {}, 0.5),
      /spreads L, which ticks every 0\.5, .* at least the model's lookahead \(1\)/
    )
    assert.throws(
      () => run((cells) => cells.set("x", 0, 1)),
      /decides here for cells from 2, before 4, and not for cell 0/
    )
    assert.throws(() => run((cells) => cells.move(cells.first, 4)), /L has no cell 4: there are 4/)
    assert.throws(() => run((cells) => void cells.neighborhood(0, { radius: 0 })), /looks 0 cells around/)
    const late = Simulation.make("Late", { until: 3 }, (sim) => {
      const L = Simulation.lattice("L", { width: 2, height: 2, layers, step })
      const One = Simulation.agent("One", { state: Schema.Struct({}), on: { Go: (_, __, sim) => void sim.spread(L) } })
      sim.send(sim.spawn(One, {}), "Go")
    })
    assert.throws(() => Simulation.runSync(late), /spreads L too late: only the set-up can/)
  })
})
