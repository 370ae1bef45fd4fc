/** Decisions: by a rule of the model, or from outside, with one result; once a turn, in handlers and in processes. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { Simulation } from "../../src/simulation/index.ts"
import { Player } from "../../src/simulation/Player.ts"

/** A handler and a process decide, among other things that happen at the same moment; both are rewarded by what they draw. */
const market = (seen: Array<unknown>) =>
  Simulation.make("Market", { until: 30 }, (sim) => {
    const rule = ([a = 0, b = 0]: Simulation.View) => a < b ? 1 : 2
    const price = sim.decision("price", (view) => {
      const action = rule(view)
      seen.push([sim.now, view, action])
      return action
    })
    const bell = sim.event("bell")
    const Trader = Simulation.agent("Trader", {
      state: Schema.Struct({ stock: Schema.Int, sold: Schema.Finite }),
      on: {
        Offer: (self, _, sim) => {
          self.stock++
          sim.send(sim.self, "Idle")
          price.take([sim.random.random(), self.sold / (1 + self.stock)], (action) => {
            self.sold += action * sim.random.random()
            price.reward(self.sold)
            if (!bell.triggered) bell.succeed()
            sim.after(sim.random.exponential(1), "Offer")
          })
        },
        Idle: (self) => void (self.stock = Math.max(0, self.stock - 2))
      }
    })
    const buyer = sim.process(function* buyer(rounds: number) {
      yield* sim.wait(bell)
      bell.reset()
      const action = yield* price.choose([sim.random.random(), 0.5])
      price.reward(action * 10)
      yield* sim.timeout(action)
      if (rounds > 0) yield* sim.continueAs(rounds - 1)
    })
    const traders = [0, 1].map(() => sim.spawn(Trader, { stock: 0, sold: 0 }))
    for (const trader of traders) sim.send(trader, "Offer", undefined, { after: 1 })
    buyer(5)
    buyer(5)
    sim.every(7, () => price.take([1, 2], (action) => sim.count("by the model", action)))
  })

describe("decisions", () => {
  it("are one world, whether its rule takes them or somebody outside does the same", () => {
    const expected: Array<readonly [number, Simulation.View, number]> = []
    const world = Simulation.open(market(expected), { seed: 4 })
    world.run(30)
    assert.isAbove(expected.length, 60)
    const player = new Player(market([]), { decision: "price", seed: 4 })
    const seen: Array<unknown> = []
    let rewards = 0
    for (const [, , action] of expected) {
      seen.push([player.now, player.view, action])
      player.act(action)
      rewards += player.reward
    }
    assert.deepStrictEqual(seen, expected)
    const decision = world.engine.parts.get("price")!.part.save()
    assert.approximately(rewards, (decision as { readonly reward: number }).reward, 1e-6)
  })

  it("are kept, and come to the same end from any checkpoint", () => {
    const model = market([])
    const straight = Simulation.open(model, { seed: 2 })
    const kept: Array<Uint8Array> = []
    for (let i = 0; i < 20; i++) {
      straight.step(7)
      kept.push(straight.checkpoint())
    }
    straight.run(40)
    for (const bytes of kept) {
      const again = Simulation.restore(model, bytes)
      again.run(40)
      assert.strictEqual(again.stateSha256, straight.stateSha256)
    }
  })

  it("end with the world", () => {
    const model = Simulation.make("Once", {}, (sim) => {
      const what = sim.decision("what", () => 0)
      sim.after(1, () => what.take([3], (action) => what.reward(action)))
    })
    const player = new Player(model, { decision: "what", seed: 0 })
    assert.deepStrictEqual([player.now, player.view, player.isOver], [1, [3], false])
    player.act(5)
    assert.deepStrictEqual([player.reward, player.isOver, player.view], [5, true, [3]])
    assert.throws(() => player.act(1), /is told an action where nothing is to be decided/)
  })

  it("are refused in one sentence where they cannot be", () => {
    const run = (setup: (sim: Simulation.Sim, what: Simulation.Decision<number>) => void) =>
      Simulation.runSync(Simulation.make("Wrong", { until: 5 }, (sim) => setup(sim, sim.decision("what", () => 1))))
    const twice = () =>
      run((sim, what) =>
        void sim.after(1, () => {
          what.take([1], () => {})
          what.take([1], () => {})
        })
      )
    assert.throws(twice, /^Wrong, at time 1, takes a second decision, "what", in one turn: /)
    assert.throws(() => run((_, what) => what.take([1], () => {})), /in the set-up/)
    assert.throws(() => run((sim, what) => void sim.after(1, () => what.take([NaN], () => {}))), /shows "what" NaN/)
    assert.throws(() => run((sim, what) => void sim.after(1, () => what.reward(Infinity))), /a reward of Infinity/)
    assert.throws(
      () =>
        run((sim, what) =>
          void sim.process(function* buyer() {
            yield* sim.timeout(1)
            what.take([1], () => {})
          })()
        ),
      /in a process: yield\* what choose gives/
    )
    const none = Simulation.make("None", { until: 5 }, (sim) => void sim.decision("what", () => 1))
    assert.throws(() => new Player(none, { decision: "which", seed: 0 }), /has no decision "which"/)
    assert.throws(() => new Player(none, { decision: "what", seed: 0 }), /came to its end without the decision "what"/)
    const crowd = Simulation.make("Crowd", { until: 5 }, (sim) => {
      const what = sim.decision("what", () => 1)
      const One = Simulation.agent("One", {
        state: Schema.Struct({}),
        on: { Step: () => what.take([1], () => sim.count("decided")) }
      })
      for (let i = 0; i < 3; i++) sim.spawn(One, {})
      sim.schedule("Day", { activate: [One] })
    })
    assert.strictEqual(Simulation.runSync(crowd).counts["decided"], 12)
    assert.throws(() => new Player(crowd, { decision: "what", seed: 0 }), /decides in a schedule's turn/)
  })
})
