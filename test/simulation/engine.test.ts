/** What happens in a simulation, in which order, and what is refused. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { Interrupted, Simulation } from "../../src/simulation/index.ts"

type Sim = Simulation.Sim

const Nothing = Schema.Struct({})

/** A world of one agent that is sent Go at time 1. */
const going = (go: (self: object, message: undefined, sim: Sim) => unknown) =>
  Simulation.make("Test", {}, (sim) => {
    const Agent = Simulation.agent("Agent", { state: Nothing, on: { Go: go } })
    sim.send(sim.spawn(Agent, {}), "Go", undefined, { after: 1 })
  })

const faultOf = (model: Simulation.AnyModel, until = 10): { readonly _tag: string; readonly message: string } => {
  try {
    Simulation.runSync(model, { until })
  } catch (fault) {
    if (fault instanceof Error && "_tag" in fault) return { _tag: String(fault._tag), message: fault.message }
    throw fault
  }
  return { _tag: "none", message: "" }
}

describe("order", () => {
  it("is time, priority, sender, count", () => {
    const seen: Array<string> = []
    const model = Simulation.make("Order", {}, (sim) => {
      const Log = Simulation.agent("Log", {
        state: Nothing,
        on: { Say: (_, what: string, sim) => void seen.push(`${sim.now} ${what}`) }
      })
      const Talker = Simulation.agent("Talker", {
        state: Schema.Struct({ name: Schema.String }),
        on: {
          Talk: (self, _, sim) => {
            sim.send(log, "Say", `${self.name} first`, { after: 1 })
            sim.send(log, "Say", `${self.name} urgent`, { after: 1, priority: -1 })
            sim.send(log, "Say", `${self.name} second`, { after: 1 })
            sim.send(log, "Say", `${self.name} now`)
          }
        }
      })
      const log = sim.spawn(Log, {})
      const a = sim.spawn(Talker, { name: "a" })
      const b = sim.spawn(Talker, { name: "b" })
      sim.send(b, "Talk", undefined, { after: 1 })
      sim.send(a, "Talk", undefined, { after: 1 })
    })
    Simulation.runSync(model)
    assert.deepStrictEqual(seen, [
      "1 a now",
      "1 b now",
      "2 a urgent",
      "2 b urgent",
      "2 a first",
      "2 a second",
      "2 b first",
      "2 b second"
    ])
  })

  it("lets nothing happen at the time at which a run ends", () => {
    const world = Simulation.open(going((_, __, sim) => sim.count("went")))
    world.run(1)
    assert.deepStrictEqual([world.now, world.result.counts], [1, {}])
    world.run(1.5)
    assert.deepStrictEqual([world.now, world.result.counts], [1.5, { went: 1 }])
  })

  it("repeats, from a start, so many times, and cancels", () => {
    const times: Array<string> = []
    const model = Simulation.make("Every", {}, (sim) => {
      const Clock = Simulation.agent("Clock", {
        state: Schema.Struct({ left: Schema.Int, handle: Schema.Number }),
        on: {
          Start: (self, _, sim) => {
            self.handle = sim.every(2, "Tick")
            sim.cancel(sim.after(3, "Never"))
          },
          Tick: (self, _, sim) => {
            times.push(`tick ${sim.now}`)
            if (--self.left === 0) sim.cancel(self.handle as Simulation.EventHandle)
          },
          Never: () => void times.push("never")
        }
      })
      sim.send(sim.spawn(Clock, { left: 2, handle: 0 }), "Start")
      sim.every(3, () => void times.push(`model ${sim.now}`), { start: 0, times: 3 })
      const late = sim.after(1, () => void times.push("cancelled"))
      sim.cancel(late)
    })
    const world = Simulation.open(model)
    world.run(50)
    assert.deepStrictEqual(times, ["model 0", "tick 2", "model 3", "tick 4", "model 6"])
    assert.isTrue(world.isOver)
  })

  it("loses and doubles no message, and counts what finds nobody", () => {
    const model = Simulation.make("Lives", { config: Schema.Struct({ n: Schema.Int }) }, (sim, { n }) => {
      const Fly = Simulation.agent("Fly", {
        state: Schema.Struct({ age: Schema.Int }),
        on: {
          Live: (self, _, sim) => {
            sim.count("lived")
            if (++self.age === 3) return sim.stop()
            const child = sim.spawn(Fly2, { age: self.age })
            sim.send(child, "Live", undefined, { after: 1 })
            sim.count("sent", 2)
            sim.send(sim.self, "Live", undefined, { after: sim.random.uniform(0, 2) })
            if (self.age === 2) {
              sim.send(sim.self, "Live", undefined, { after: 5 })
              sim.count("sent")
            }
          }
        }
      })
      const Fly2: typeof Fly = Fly
      for (let i = 0; i < n; i++) sim.send(sim.spawn(Fly, { age: 0 }), "Live", undefined, { after: 1 })
    })
    const world = Simulation.open(model, { config: { n: 20 } })
    world.run(1000)
    const { agents, counts, undelivered } = world.result
    assert.isTrue(world.isOver)
    assert.isAbove(undelivered, 0)
    assert.strictEqual(counts["lived"]! + undelivered, counts["sent"]! + 20)
    assert.strictEqual(agents, 1)
  })
})

describe("laws", () => {
  it("each message happens once, at its time, after those before it, for any senders, delays and priorities", () => {
    for (let seed = 0; seed < 40; seed++) {
      const sent = new Map<string, number>()
      let last: ReadonlyArray<number> = [-1, 0, 0, 0]
      const model = Simulation.make("Laws", { lookahead: 0.25, shares: 5 }, (sim) => {
        const Agent = Simulation.agent("Agent", {
          state: Nothing,
          on: {
            Go: (_, { id, key }: { id: string; key: ReadonlyArray<number> }, sim) => {
              // Once, and at the time that it was to come.
              assert.strictEqual(sent.get(id), sim.now)
              sent.delete(id)
              // In the order that the page says. What is sent to the same time by its own event comes after it.
              const from = last.findIndex((value, i) => value !== key[i])
              if (key[0]! > last[0]! || key[4]! < last[0]!) assert.isBelow(last[from]!, key[from]!, `${last} ${key}`)
              last = key
              if (sent.size > 60) return
              for (let i = sim.random.integers(0, 4); i > 0; i--) {
                const to = agents[sim.random.integers(0, agents.length)]!
                const isNear = Math.floor(to / 2 ** 32) === Math.floor(sim.self / 2 ** 32)
                // Few values, so that many are of one time.
                const after = (isNear ? 0 : 0.25) + 0.25 * sim.random.integers(0, 4)
                const priority = sim.random.integers(-1, 2)
                const count = counts.get(sim.self) ?? 0
                counts.set(sim.self, count + 1)
                const id = `${sim.self} ${count}`
                sent.set(id, sim.now + after)
                const key = [sim.now + after, priority, sim.self, count, sim.now]
                sim.send(to, "Go", { id, key }, { after, priority })
              }
            }
          }
        })
        const counts = new Map<number, number>()
        const agents: ReadonlyArray<Simulation.AgentRef> = Array.from({ length: 10 }, () => sim.spawn(Agent, {}))
        for (const [i, agent] of agents.entries()) {
          const id = `0 ${i}`
          sent.set(id, i / 4)
          sim.send(agent, "Go", { id, key: [i / 4, 0, 0, i, -1] }, { after: i / 4 })
        }
      })
      const world = Simulation.open(model, { seed })
      world.run(20)
      for (const time of sent.values()) assert.isAtLeast(time, 20)
      assert.strictEqual(world.result.undelivered, 0)
    }
  })
})

describe("randomness", () => {
  it("gives each agent its own stream, whoever else draws", () => {
    const drawn = (others: number) => {
      const draws: Array<number> = []
      const model = Simulation.make("Draws", {}, (sim) => {
        const Agent = Simulation.agent("Agent", {
          state: Nothing,
          on: { Draw: (_, first: boolean, sim) => void (first ? draws.push(sim.random.random()) : sim.random.normal()) }
        })
        const first = sim.spawn(Agent, {})
        for (let i = 0; i < 5; i++) {
          sim.send(first, "Draw", true, { after: i })
          for (let k = 0; k < others; k++) sim.send(sim.spawn(Agent, {}), "Draw", false, { after: i })
        }
      })
      Simulation.runSync(model, { seed: 3 })
      return draws
    }
    assert.deepStrictEqual(drawn(0), drawn(7))
    assert.strictEqual(new Set(drawn(0)).size, 5)
  })

  it("draws from the distributions that it says", () => {
    const means: Record<string, number> = {}
    const model = Simulation.make("Means", {}, (sim) => {
      const n = 40_000
      const mean = (draw: () => number) => Array.from({ length: n }, draw).reduce((a, b) => a + b, 0) / n
      means["uniform"] = mean(() => sim.random.uniform(2, 4))
      means["exponential"] = mean(() => sim.random.exponential(3))
      means["normal"] = mean(() => sim.random.normal(5, 2))
      means["square"] = mean(() => sim.random.normal() ** 2)
      means["integers"] = mean(() => sim.random.integers(-2, 3))
      means["bernoulli"] = mean(() => Number(sim.random.bernoulli(0.3)))
      means["poisson"] = mean(() => sim.random.poisson(4))
      means["choice"] = mean(() => sim.random.choice([1, 2, 6]))
      means["shuffle"] = mean(() => sim.random.shuffle([1, 2, 6])[0]!)
    })
    Simulation.open(model, { seed: 11 })
    const expected = {
      uniform: 3,
      exponential: 3,
      normal: 5,
      square: 1,
      integers: 0,
      bernoulli: 0.3,
      poisson: 4,
      choice: 3,
      shuffle: 3
    }
    for (const [name, value] of Object.entries(expected)) assert.approximately(means[name]!, value, 0.06, name)
  })
})

describe("processes", () => {
  it("are interrupted where they first wait, when they have not begun yet", () => {
    const seen: Array<string> = []
    const model = Simulation.make("Early", {}, (sim) => {
      const desk = sim.resource("desk")
      const guest = sim.process(function* guest(name: string, waits: boolean) {
        seen.push(`${name} comes`)
        try {
          if (!waits) return
          yield* desk.request()
          yield* sim.timeout(5)
        } catch (error) {
          if (!(error instanceof Interrupted)) throw error
          seen.push(`${name}: ${String(error.reason)} at ${sim.now}`)
          yield* sim.timeout(2)
          seen.push(`${name} leaves at ${sim.now}`)
        }
      })
      sim.after(1, () => {
        sim.interrupt(guest("a", true), "out")
        sim.interrupt(guest("b", false), "out")
        sim.interrupt(guest("c", true), "out")
      })
    })
    const world = Simulation.open(model)
    world.run(1.5)
    const again = Simulation.restore(model, world.checkpoint())
    world.run()
    assert.deepStrictEqual(seen.filter((line) => !/comes/.test(line)).slice(0, 2), ["a: out at 1", "c: out at 1"])
    assert.deepStrictEqual(seen.filter((line) => /leaves/.test(line)), ["a leaves at 3", "c leaves at 3"])
    assert.strictEqual(world.result.agents, 1)
    again.run()
    assert.strictEqual(again.stateSha256, world.stateSha256)
  })

  it("wait for time, for answers and for events, and are interrupted", () => {
    const said: Array<string> = []
    const model = Simulation.make("Processes", {}, (sim) => {
      const say = (what: string) => void said.push(`${sim.now} ${what}`)
      const Shop = Simulation.agent("Shop", {
        state: Schema.Struct({ price: Schema.Finite }),
        on: { Price: (self, { of }: { of: number }) => self.price * of }
      })
      const shop = sim.spawn(Shop, { price: 2 })
      const opened = sim.event<string>("opened")
      const buyer = sim.process(function* buyer(name: string) {
        say(`${name} waits`)
        const how = yield* sim.wait(opened)
        const price = yield* sim.ask(shop, "Price", { of: 3 }, { after: 1 })
        say(`${name} ${how} pays ${price}`)
        try {
          yield* sim.timeout(100)
        } catch (error) {
          if (!(error instanceof Interrupted)) throw error
          say(`${name} ${String(error.reason)}`)
        }
        for (let i = 0; i < 2; i++) yield* sim.timeout(0.5)
        say(`${name} ends`)
      })
      const opener = sim.process(function* opener(who: Simulation.AgentRef) {
        yield* sim.timeout(4)
        opened.succeed("gladly")
        yield* sim.timeout(4)
        sim.interrupt(who, "leave")
      })
      opener(buyer("ann"))
      buyer("bob")
    })
    const world = Simulation.open(model)
    world.run(50)
    assert.deepStrictEqual(said, [
      "0 ann waits",
      "0 bob waits",
      "6 ann gladly pays 6",
      "6 bob gladly pays 6",
      "8 ann leave",
      "9 ann ends"
    ])
    assert.strictEqual(world.result.agents, 3)
  })

  it("go on as another life", () => {
    const model = Simulation.make("Machine", {}, (sim) => {
      const machine = sim.process(function* machine(made: number) {
        for (let i = 0; i < 10; i++) {
          yield* sim.timeout(1)
          sim.count("made")
        }
        if (made < 90) yield* sim.continueAs(made + 10)
        sim.record("life", made)
      })
      machine(0)
    })
    const { counts, events, tallies } = Simulation.runSync(model)
    assert.deepStrictEqual([counts["made"], events, tallies["life"]!.n], [100, 101, 1])
  })
})

describe("refusals", () => {
  const sentences: ReadonlyArray<readonly [string, Simulation.AnyModel, string, RegExp]> = [
    [
      "a negative delay",
      going((_, __, sim) => sim.after(-1, "Go")),
      "InvalidTime",
      /^Agent 1, at time 1, gave a delay of -1: a delay is a finite number of at least 0$/
    ],
    ["a NaN delay", going((_, __, sim) => sim.send(sim.self, "Go", undefined, { after: NaN })), "InvalidTime", /NaN/],
    ["a time in the past", going((_, __, sim) => sim.at(0.5, "Go")), "InvalidTime", /not before now/],
    ["an infinite delay", going((_, __, sim) => sim.after(Infinity, "Go")), "InvalidTime", /Infinity/],
    ["a period of zero", going((_, __, sim) => sim.every(0, "Go")), "InvalidTime", /period is a finite number above 0/],
    [
      "Date.now",
      going(() => Date.now()),
      "NotReproducible",
      /^Agent 1, at time 1, called Date\.now\(\), which differs from run to run: use sim\.now$/
    ],
    ["new Date", going(() => new Date()), "NotReproducible", /new Date\(\)/],
    ["Math.random", going(() => Math.random()), "NotReproducible", /Math\.random\(\).*use sim\.random/],
    ["performance.now", going(() => performance.now()), "NotReproducible", /performance\.now/],
    ["a timer", going(() => setTimeout(() => {}, 1)), "AsyncInSimulation", /Agent 1, at time 1, called setTimeout/],
    [
      "an async handler",
      // oxlint-disable-next-line typescript/require-await
      going(async () => 1),
      "AsyncInSimulation",
      /^Agent 1, at time 1, returned a promise from its handler of Go: nothing outside is waited for in virtual time/
    ],
    [
      "an async handler that fails",
      // oxlint-disable-next-line typescript/require-await
      going(async () => {
        throw new Error("no")
      }),
      "AsyncInSimulation",
      /promise/
    ],
    [
      "a throw",
      going(() => {
        throw new Error("no bread")
      }),
      "HandlerFailed",
      /^Agent 1, at time 1, failed in its handler of Go: no bread$/
    ],
    ["an unknown message", going((_, __, sim) => sim.send(sim.self, "Gone")), "InvalidUse", /"Gone".*no kind/],
    ["an agent never born", going((_, __, sim) => sim.send(77 as never, "Go")), "InvalidUse", /never born/],
    ["a function", going((_, __, sim) => sim.after(1, () => {})), "InvalidUse", /no checkpoint can keep/],
    [
      "what is no plain data",
      going((_, __, sim) => sim.send(sim.self, "Go", { at: [new Map()] })),
      "InvalidUse",
      /gave "Go" that is no plain data: its at\.0 is a Map/
    ],
    [
      "a process that waits for a promise",
      Simulation.make("Test", {}, (sim) => {
        const late = sim.process(function* late() {
          yield Promise.resolve(1) as never
        })
        late()
      }),
      "AsyncInSimulation",
      /^late 1, at time 0, waited for a promise/
    ],
    [
      "an interruption that nobody catches",
      Simulation.make("Test", {}, (sim) => {
        const sleeper = sim.process(function* sleeper() {
          yield* sim.timeout(5)
        })
        const ref = sleeper()
        sim.after(1, () => sim.interrupt(ref))
      }),
      "HandlerFailed",
      /sleeper 1, at time 1, failed in its body: the process was interrupted/
    ],
    [
      "chance in the set-up",
      Simulation.make("Test", {}, () => void Math.random()),
      "NotReproducible",
      /^Test, at time 0, called Math\.random/
    ],
    [
      "a set-up that throws",
      Simulation.make("Test", {}, () => {
        throw new Error("no plan")
      }),
      "InvalidModel",
      /^Test: its set-up failed: no plan$/
    ],
    [
      "a message that comes too early",
      Simulation.make("Test", { lookahead: 2, shares: 2 }, (sim) => {
        const Agent = Simulation.agent("Agent", {
          state: Nothing,
          on: { Go: (_, to: Simulation.AgentRef, sim) => sim.send(to, "Go", to, { after: 1.5 }) }
        })
        const first = sim.spawn(Agent, {})
        sim.send(first, "Go", sim.spawn(Agent, {}))
      }),
      "LookaheadViolated",
      /^Agent 0\/1, at time 0, sent a message that reaches Agent 1\/0 at 1\.5, before 2: /
    ]
  ]
  for (const [name, model, tag, sentence] of sentences) {
    it(`says one sentence of ${name}`, () => {
      const fault = faultOf(model)
      assert.match(fault.message, sentence)
      assert.strictEqual(fault._tag, tag)
      assert.notInclude(fault.message, "\n")
    })
  }

  it("gives chance and clocks back", () => {
    const before = [Math.random, Date, performance.now, setTimeout, queueMicrotask]
    faultOf(going(() => Math.random()))
    assert.deepStrictEqual([Math.random, Date, performance.now, setTimeout, queueMicrotask], before)
  })

  it("refuses options and configurations that do not fit", () => {
    const invalid = (options: Simulation.ModelOptions<Schema.Struct<{ n: typeof Schema.Int }>>) => () =>
      Simulation.make("Test", options, () => {})
    for (const lookahead of [0, -1, NaN, Infinity]) assert.throws(invalid({ lookahead }), /lookahead/)
    assert.throws(invalid({ shares: 2 }), /without a lookahead/)
    assert.throws(invalid({ lookahead: 1, shares: 0 }), /0 shares/)
    assert.throws(invalid({ until: 0 }), /until/)
    const model = Simulation.make("Test", { config: Schema.Struct({ n: Schema.Int }) }, () => {})
    assert.throws(() => Simulation.open(model, { config: { n: 1.5 } }), /^Test: its configuration: /)
    assert.throws(() => Simulation.open(model), /n/)
    assert.throws(() => Simulation.open(model, { config: { n: 1, m: 2 } as never }), /m/)
  })
})

describe("results", () => {
  it("are the same for a seed, and others for another", () => {
    const model = going((_, __, sim) => void sim.record("draw", sim.random.normal()))
    const run = (seed: number) => Simulation.runSync(model, { seed, until: 5 })
    assert.deepStrictEqual(run(1), run(1))
    assert.notStrictEqual(run(1).stateSha256, run(2).stateSha256)
  })

  it("are told in sum", () => {
    const model = Simulation.make("Sum", { lookahead: 1, shares: 3 }, (sim) => {
      const Agent = Simulation.agent("Agent", {
        state: Nothing,
        on: { Tell: (_, value: number, sim) => (sim.record("value", value), sim.count("told")) }
      })
      for (const value of [1, 2, 3, 4, 5]) sim.send(sim.spawn(Agent, {}), "Tell", value)
    })
    const { counts, tallies } = Simulation.runSync(model)
    assert.deepStrictEqual(counts, { told: 5 })
    const { deviation, ...rest } = tallies["value"]!
    assert.deepStrictEqual(rest, { n: 5, mean: 3, min: 1, max: 5 })
    assert.approximately(deviation, Math.sqrt(2.5), 1e-12)
  })
})
