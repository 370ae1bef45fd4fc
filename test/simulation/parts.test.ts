/** Resources, stores, containers, monitors, spaces and schedules: what they promise, and that checkpoints keep them. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { Pcg64 } from "../../src/random/index.ts"
import { Interrupted, Simulation } from "../../src/simulation/index.ts"
import Workshop from "./fixtures/workshop.ts"

type Sim = Simulation.Sim
const Nothing = Schema.Struct({})

/** Runs a model whose set-up says what happened. */
const told = (setup: (sim: Sim, say: (what: string) => void) => void, until = Infinity): ReadonlyArray<string> => {
  const said: Array<string> = []
  const model = Simulation.make("Test", {}, (sim) => setup(sim, (what) => said.push(`${sim.now} ${what}`)))
  Simulation.runSync(model, { until })
  return said
}

const problemOf = (setup: (sim: Sim) => void): string => {
  try {
    Simulation.runSync(Simulation.make("Test", {}, setup), { until: 100 })
  } catch (fault) {
    if (fault instanceof Error) return fault.message
  }
  return "none"
}

describe("checkpoints of parts", () => {
  it("are gone on from at any moment with the same end", () => {
    const random = Pcg64.fromSeed(6)
    const seen: Record<string, number> = {}
    for (let seed = 0; seed < 6; seed++) {
      const straight = Simulation.open(Workshop, { seed })
      const kept: Array<Uint8Array> = []
      for (const time of Array.from({ length: 12 }, () => random.uniform(0, 20)).toSorted((a, b) => a - b)) {
        while (straight.now < time) straight.step(random.integers(1, 9))
        kept.push(straight.checkpoint())
      }
      straight.run(25)
      for (const [name, count] of Object.entries(straight.result.counts)) seen[name] = (seen[name] ?? 0) + count
      for (const bytes of kept) {
        const again = Simulation.restore(Workshop, bytes)
        again.run(25)
        assert.deepStrictEqual(again.result, straight.result)
      }
    }
    for (
      const name of ["reneged", "nothing", "red", "blue", "fueled", "interrupted", "preempted", "overflow", "crowded"]
    ) assert.isAbove(seen[name] ?? 0, 0, name)
  })
})

describe("resources", () => {
  it("serve by priority, then by arrival, and let whoever is impatient go", () => {
    const said = told((sim, say) => {
      const counter = sim.resource("counter")
      const customer = sim.process(function* customer(name: string, priority: number, within: number) {
        const has = yield* counter.request({ priority, within })
        say(`${name} ${has ? "served" : "left"}`)
        if (!has) return
        yield* sim.timeout(2)
        counter.release()
      })
      customer("a", 0, 9)
      customer("b", 1, 9)
      customer("c", 0, 9)
      customer("d", 0, 3)
      customer("e", -1, Infinity)
    })
    assert.deepStrictEqual(said, ["0 a served", "2 e served", "3 d left", "4 c served", "6 b served"])
  })

  it("are preempted by who is more important, as in SimPy's documentation", () => {
    // Its section "Preemptive resources", users of priorities 0, 0 and -1.
    const said = told((sim, say) => {
      const machine = sim.resource("machine")
      const user = sim.process(function* user(name: number, wait: number, priority: number) {
        yield* sim.timeout(wait)
        say(`${name} requests`)
        yield* machine.request({ priority, preempt: true })
        say(`${name} got`)
        try {
          yield* sim.timeout(3)
        } catch (error) {
          const lost = Simulation.preemptionOf(error)!
          return say(`${name} preempted by ${lost.by} after ${sim.now - lost.since}`)
        }
        machine.release()
      })
      user(1, 0, 0)
      user(2, 1, 0)
      const third = user(3, 2, -1)
      say(`third is ${third}`)
    })
    assert.deepStrictEqual(said, [
      "0 third is 3",
      "0 1 requests",
      "0 1 got",
      "1 2 requests",
      "2 3 requests",
      "2 3 got",
      "2 1 preempted by 3 after 2",
      "5 2 got"
    ])
  })

  it("are given back by the death of who holds them, and by an interruption that comes with them", () => {
    const said = told((sim, say) => {
      const key = sim.resource("key")
      const keeper = sim.process(function* keeper(name: string) {
        try {
          yield* key.request()
          say(`${name} got`)
          yield* sim.timeout(100)
        } catch (error) {
          if (!(error instanceof Interrupted)) throw error
          say(`${name} interrupted`)
        }
      })
      const first = keeper("first")
      const second = keeper("second")
      const third = keeper("third")
      sim.at(1, () => {
        sim.stop(first)
        // It has been given the key at this moment, and has not heard of it.
        sim.interrupt(second)
      })
      sim.at(2, () => sim.stop(third))
      sim.at(3, () => say(`${key.users} users`))
    })
    assert.deepStrictEqual(said, ["0 first got", "1 second interrupted", "1 third got", "3 0 users"])
  })

  it("are used by as many as there are, and lose nobody, whatever happens", () => {
    for (let seed = 0; seed < 20; seed++) {
      const model = Simulation.make("Many", {}, (sim) => {
        const desk = sim.resource("desk", 3)
        const visitor = sim.process(function* visitor() {
          const has = yield* desk.request({
            priority: sim.random.integers(0, 3),
            preempt: sim.random.bernoulli(0.3),
            ...(sim.random.bernoulli(0.5) ? { within: sim.random.integers(0, 3) } : {})
          })
          if (!has) return sim.count("left")
          sim.record("users", desk.users)
          try {
            yield* sim.timeout(sim.random.integers(0, 4))
            desk.release()
            sim.count("done")
          } catch {
            sim.count("lost")
          }
        })
        sim.every(() => sim.random.integers(1, 4) / 3, () => void visitor(), { times: 100 })
      })
      const { agents, counts, monitors, tallies } = Simulation.runSync(model, { seed })
      assert.strictEqual(agents, 1)
      assert.isAtMost(tallies["users"]!.max, 3)
      assert.strictEqual(monitors["desk.users"]!.last, 0)
      assert.strictEqual(monitors["desk.users"]!.max, 3)
      assert.strictEqual((counts["left"] ?? 0) + counts["done"]! + (counts["lost"] ?? 0), 100)
    }
  })

  it("are refused in a sentence where they are misused", () => {
    assert.strictEqual(
      problemOf((sim) => void sim.resource("desk", 1.5)),
      `Test, at time 0, makes the resource "desk" with 1.5 of it: give an integer of at least 1`
    )
    assert.strictEqual(
      problemOf((sim) => {
        const desk = sim.resource("desk")
        sim.process(function* thief() {
          yield* sim.timeout(1)
          desk.release()
        })()
      }),
      `thief 1, at time 1, released "desk", of which it uses none`
    )
    assert.include(
      problemOf((sim) => {
        const desk = sim.resource("desk")
        sim.process(function* hasty() {
          yield* desk.request({ within: -1 })
        })()
      }),
      `requests "desk" within -1`
    )
  })
})

describe("stores", () => {
  it("give what fits, by priority, and let who puts wait for room", () => {
    const said = told((sim, say) => {
      const shelf = sim.store<{ kind: string; size: number }>("shelf", { capacity: 2, priority: ({ size }) => size })
      sim.process(function* maker() {
        for (const [kind, size] of [["b", 2], ["a", 1], ["a", 3], ["b", 0]] as const) {
          yield* shelf.put({ kind, size })
          say(`put ${kind}${size}`)
        }
      })()
      const taker = sim.process(function* taker(kind: string | undefined) {
        yield* sim.timeout(1)
        const { kind: got, size } = yield* shelf.get(kind === undefined ? {} : { where: { kind } })
        say(`got ${got}${size}`)
      })
      taker("b")
      taker(undefined)
      taker("a")
      taker("c")
      sim.at(2, () => say(`left ${shelf.length}: ${shelf.take()?.kind}, ${shelf.take({ where: { kind: "x" } })}`))
    })
    assert.deepStrictEqual(said, [
      "0 put b2",
      "0 put a1",
      "1 got b2",
      "1 put a3",
      "1 got a1",
      "1 put b0",
      "1 got a3",
      "2 left 1: b, undefined"
    ])
  })

  it("lose and double nothing, whoever is interrupted at the moment of getting", () => {
    let interrupted = 0
    for (let seed = 0; seed < 20; seed++) {
      const got: Array<number> = []
      let made = 0
      const model = Simulation.make("Goods", {}, (sim) => {
        const shelf = sim.store<number>("shelf", { capacity: 2 })
        const maker = sim.process(function* maker(item: number) {
          if (yield* shelf.put(item, { within: 4 })) sim.count("put")
        })
        const taker = sim.process(function* taker() {
          try {
            const item = yield* shelf.get({ within: 3 })
            if (item !== undefined) got.push(item)
          } catch {
            sim.count("interrupted")
          }
        })
        const takers: Array<Simulation.AgentRef> = []
        sim.every(() => sim.random.integers(1, 3), () => void maker(made++), { times: 60 })
        sim.every(() => sim.random.integers(1, 3), () => void takers.push(taker()), { times: 60 })
        sim.every(1, () => {
          const last = takers.at(-2)
          if (last !== undefined && sim.random.bernoulli(0.3) && sim.isAlive(last)) sim.interrupt(last)
        }, { times: 150 })
      })
      const { counts, monitors } = Simulation.runSync(model, { seed })
      assert.strictEqual(counts["put"], got.length + monitors["shelf.length"]!.last)
      assert.strictEqual(new Set(got).size, got.length)
      interrupted += counts["interrupted"] ?? 0
    }
    assert.isAbove(interrupted, 10)
  })
})

describe("containers", () => {
  it("serve in the order of coming, keep what there is, and give up in time", () => {
    const said = told((sim, say) => {
      const tank = sim.container("tank", { capacity: 10, level: 5 })
      const car = sim.process(function* car(name: string, amount: number, within?: number) {
        const has = yield* tank.get(amount, within === undefined ? {} : { within })
        say(`${name} ${has ? "filled" : "left"}`)
      })
      car("great", 8)
      // It would find enough, but is not first.
      car("small", 2, 1)
      car("next", 1)
      sim.at(2, () => say(`offered ${tank.offer(6)}, ${tank.offer(4)}`))
      sim.at(3, () => say(`holds ${tank.level}: ${tank.take(3)}, ${tank.take(1)}`))
    })
    assert.deepStrictEqual(said, [
      "1 small left",
      "2 offered false, true",
      "2 great filled",
      "2 next filled",
      "3 holds 0: false, false"
    ])
    assert.include(problemOf((sim) => void sim.container("tank", { capacity: 5 }).offer(6)), "moves 6 in or out")
  })
})

describe("monitors", () => {
  it("have means over time", () => {
    const model = Simulation.make("Watch", {}, (sim) => {
      const level = sim.monitor("level", 1)
      sim.at(2, () => level.set(4))
      sim.at(3, () => level.add(-4))
      const late = sim.monitor("late", 7)
      sim.at(5, () => late.reset())
      sim.at(7.5, () => late.set(3))
    })
    const { monitors } = Simulation.runSync(model, { until: 10 })
    assert.deepStrictEqual(monitors["level"], {
      last: 0,
      mean: 0.6,
      deviation: Math.sqrt(1.8 - 0.36),
      min: 0,
      max: 4,
      time: 10
    })
    assert.deepInclude(monitors["late"], { mean: 5, time: 5, min: 3, max: 7, deviation: 2 })
  })
})

describe("grids", () => {
  it("know their neighborhoods", () => {
    const random = Pcg64.fromSeed(3)
    const model = Simulation.make("Cells", {}, (sim) => {
      for (let i = 0; i < 30; i++) {
        const [width, height] = [random.integers(1, 8), random.integers(1, 8)]
        const shape = random.integers(0, 2) === 0 ? "moore" as const : "von neumann" as const
        const torus = random.integers(0, 2) === 0
        const radius = random.integers(1, 4)
        const grid = sim.grid(`grid ${i}`, { width, height, torus, shape })
        const apart = (a: number, b: number, side: number) =>
          torus ? Math.min(Math.abs(a - b), side - Math.abs(a - b)) : Math.abs(a - b)
        for (let cell = 0; cell < grid.size; cell++) {
          const expected = Array.from({ length: grid.size }, (_, other) => other).filter((other) => {
            const dx = apart(grid.x(cell), grid.x(other), width)
            const dy = apart(grid.y(cell), grid.y(other), height)
            return other !== cell && (shape === "moore" ? Math.max(dx, dy) : dx + dy) <= radius
          })
          assert.sameMembers([...grid.neighborhood(cell, { radius })], expected)
          assert.sameMembers([...grid.neighborhood(cell, { radius, includeCenter: true })], [...expected, cell])
        }
      }
    })
    Simulation.open(model)
  })

  it("hold so many agents a cell, forget the dead, and give every empty cell its chance", () => {
    const drawn = new Map<number, number>()
    const model = Simulation.make("Full", {}, (sim) => {
      const Stone = Simulation.agent("Stone", { state: Nothing, on: { Go: (_, __, sim) => sim.stop() } })
      const grid = sim.grid("grid", { width: 10, height: 6, capacity: 1 })
      const stones = Array.from({ length: 58 }, () => {
        const stone = sim.spawn(Stone, {})
        grid.place(stone, grid.randomEmpty())
        return stone
      })
      assert.strictEqual(grid.empty, 2)
      for (let i = 0; i < 200; i++) {
        const cell = grid.randomEmpty()
        assert.isTrue(grid.isEmpty(cell))
        drawn.set(cell, (drawn.get(cell) ?? 0) + 1)
      }
      sim.send(stones[0]!, "Go", undefined, { after: 1 })
      sim.at(2, () => {
        assert.strictEqual(grid.empty, 3)
        assert.isUndefined(grid.cellOf(stones[0]!))
        grid.place(stones[1]!, grid.cellOf(stones[2]!)!)
      })
    })
    const world = Simulation.open(model)
    assert.strictEqual(drawn.size, 2)
    for (const times of drawn.values()) assert.isAbove(times, 60)
    assert.throws(() => world.run(3), /puts an agent into cell \(\d, \d\) of "grid", which is full/)
  })
})

describe("spaces", () => {
  it("find whoever is near, on planes and on tori", () => {
    const random = Pcg64.fromSeed(4)
    const model = Simulation.make("Points", {}, (sim) => {
      const Bird = Simulation.agent("Bird", { state: Nothing, on: {} })
      for (let i = 0; i < 20; i++) {
        const torus = i % 2 === 0
        const [width, height] = [random.uniform(1, 20), random.uniform(1, 20)]
        const space = sim.space(`space ${i}`, { width, height, torus, usualRadius: random.uniform(0.2, 30) })
        const points = Array.from({ length: 40 }, () => {
          const bird = sim.spawn(Bird, {})
          space.place(bird, random.uniform(0, width), random.uniform(0, height))
          space.place(bird, random.uniform(0, width), random.uniform(0, height))
          return bird
        })
        const apart = (a: number, b: number, side: number) =>
          torus ? Math.min(Math.abs(a - b), side - Math.abs(a - b)) : Math.abs(a - b)
        for (const bird of points.slice(0, 10)) {
          const radius = random.uniform(0, 12)
          const { x, y } = space.positionOf(bird)!
          const expected = points.filter((other) => {
            const at = space.positionOf(other)!
            return other !== bird && Math.sqrt(apart(x, at.x, width) ** 2 + apart(y, at.y, height) ** 2) <= radius
          })
          assert.deepStrictEqual(space.neighbors(bird, radius), expected)
          for (const other of expected) assert.isAtMost(space.distance(bird, other), radius)
        }
      }
    })
    Simulation.open(model)
  })

  it("wrap on tori alone", () => {
    assert.include(
      problemOf((sim) => {
        const bird = sim.spawn(Simulation.agent("Bird", { state: Nothing, on: {} }), {})
        const sky = sim.space("sky", { width: 4, height: 3, torus: true })
        sky.place(bird, -0.5, 7)
        assert.deepStrictEqual(sky.positionOf(bird), { x: 3.5, y: 1 })
        sky.place(bird, -1e-300, 3)
        assert.deepStrictEqual(sky.positionOf(bird), { x: 0, y: 0 })
        sim.space("box", { width: 4, height: 3 }).place(bird, 5, 0)
      }),
      `puts someone at x 5 of "box", which reaches from 0 to 4`
    )
  })
})

describe("graphs", () => {
  it("have neighbors both ways, unless they are directed", () => {
    const model = Simulation.make("Roads", {}, (sim) => {
      const Car = Simulation.agent("Car", { state: Nothing, on: {} })
      const roads = sim.graph("roads", { nodes: 4, edges: [[0, 1], [1, 2], [1, 2]] })
      const ways = sim.graph("ways", { nodes: 3, edges: [[0, 1], [0, 2]], directed: true })
      const car = sim.spawn(Car, {})
      roads.place(car, 2)
      assert.deepStrictEqual([0, 1, 2, 3].map((node) => roads.neighborsOf(node)), [[1], [0, 2], [1], []])
      assert.deepStrictEqual([0, 1, 2].map((node) => ways.neighborsOf(node)), [[1, 2], [], []])
      assert.deepStrictEqual([roads.neighbors(1), roads.at(2), roads.nodeOf(car)], [[car], [car], 2])
      roads.unlink(2, 1)
      assert.deepStrictEqual([roads.neighbors(1), roads.neighborsOf(2)], [[], []])
      assert.strictEqual(Simulation.completeEdges(6).length, 15)
      assert.strictEqual(Simulation.smallWorldEdges(20, 4, 0.2, sim.random).length, 40)
      assert.approximately(Simulation.randomEdges(60, 0.3, sim.random).length, 531, 60)
    })
    Simulation.open(model)
  })
})

describe("schedules", () => {
  const flock = (schedule: (kind: Simulation.AnyAgent) => Simulation.ScheduleOptions) =>
    told((sim, say) => {
      const Sheep = Simulation.agent("Sheep", {
        state: Schema.Struct({ name: Schema.String }),
        on: {
          Step: ({ name }, _, sim) => {
            say(name)
            if (name === "a" && sim.now === 2) { for (const other of sim.agents(Sheep2).slice(2)) sim.stop(other) }
          },
          Then: ({ name }) => say(`${name}!`)
        }
      })
      const Sheep2: typeof Sheep = Sheep
      for (const name of "abc") sim.spawn(Sheep, { name })
      sim.schedule("Day", schedule(Sheep))
    }, 4)

  it("are by birth, or in two rounds, and leave out the dead", () => {
    assert.deepStrictEqual(flock((kind) => ({ activate: [kind] })), ["1 a", "1 b", "1 c", "2 a", "2 b", "3 a", "3 b"])
    assert.deepStrictEqual(
      flock((kind) => ({ activate: [kind], every: 2, advance: "Then", start: 0.5 })),
      ["0.5 a", "0.5 b", "0.5 c", "0.5 a!", "0.5 b!", "0.5 c!", "2.5 a", "2.5 b", "2.5 c", "2.5 a!", "2.5 b!", "2.5 c!"]
    )
  })

  it("are in a new order each time, each as likely, and end", () => {
    const orders = new Map<string, number>()
    const model = Simulation.make("Orders", {}, (sim) => {
      let order = ""
      const Card = Simulation.agent("Card", {
        state: Schema.Struct({ name: Schema.String }),
        on: { Step: ({ name }) => void (order += name) }
      })
      for (const name of "abc") sim.spawn(Card, { name })
      sim.schedule("Shuffle", {
        activate: [Card],
        order: "shuffled",
        while: () => {
          orders.set(order, (orders.get(order) ?? 0) + 1)
          order = ""
          return sim.now < 1200
        }
      })
    })
    const { events, now } = Simulation.runSync(model, { seed: 2 })
    assert.deepStrictEqual([events, now], [4800, 1200])
    assert.strictEqual(orders.size, 6)
    for (const times of orders.values()) assert.approximately(times, 200, 45)
  })

  it("are refused where an agent has no such handler", () => {
    assert.strictEqual(
      problemOf((sim) => {
        const Stone = Simulation.agent("Stone", { state: Nothing, on: { Roll: () => {} } })
        const Cat = Simulation.agent("Cat", { state: Nothing, on: { Step: () => {} } })
        sim.schedule("Day", { activate: [Cat, Stone] })
      }),
      `Test, at time 0, activates Stone by "Step", which it has no handler for`
    )
  })
})
