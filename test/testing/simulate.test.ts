/** Simulated runs: repeatable to the step, by seed and by decisions; failures found, made small and told. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Random, Schema } from "effect"
import { Actor, ActorSystem } from "troupe/actors"
import { allFaults, formatDecisions, parseDecisions, runSeed, simulate, Simulation } from "troupe/testing"
import * as vitest from "troupe/testing/vitest"
import { type Workload, workloads } from "../box/workloads/index.ts"
import { Account, behavior, payments, system } from "./bank.ts"

describe("simulate", () => {
  for (const name of Object.keys(workloads) as ReadonlyArray<Workload>) {
    it(`${name}: a seed run twice, and by its decisions, is the same to the step`, () => {
      for (const seed of [3, 17, 2026]) {
        const first = runSeed(workloads[name], seed, { faults: allFaults, log: true })
        const again = runSeed(workloads[name], seed, { faults: allFaults, log: true })
        assert.deepStrictEqual(again.log, first.log)
        assert.strictEqual(again.hash, first.hash)
        const told = parseDecisions(formatDecisions(first.decisions))
        const scripted = runSeed(workloads[name], seed, { faults: allFaults, decisions: told })
        assert.strictEqual(scripted.hash, first.hash)
        assert.strictEqual(scripted.steps, first.steps)
        assert.deepStrictEqual(scripted.decisions, first.decisions)
      }
    })

    it(`${name}: holds in a hundred schedules of all faults`, () => {
      const { failure, schedules } = simulate(workloads[name], { seed: 1000, seeds: 100, faults: allFaults })
      assert.isUndefined(failure, failure?.text)
      assert.strictEqual(schedules, 100)
    })
  }

  it("takes place in virtual time", () => {
    const began = performance.now()
    const { failure, millis } = runSeed(Effect.andThen(Effect.sleep("30 minutes"), Effect.void), 1)
    assert.isUndefined(failure)
    assert.strictEqual(millis, 1_800_000)
    assert.isBelow(performance.now() - began, 5000)
  })

  it("gives programs chances of their own, by the seed", () => {
    const drawn = (seed: number) => {
      const numbers: Array<number> = []
      runSeed(Effect.map(Effect.all([Random.next, Random.nextInt]), (its) => numbers.push(...its)), seed)
      return numbers
    }
    assert.deepStrictEqual(drawn(1), drawn(1))
    assert.notDeepEqual(drawn(1), drawn(2))
  })

  it("finds what runs twice, makes it small and tells all of it", () => {
    const { failure } = simulate(payments(false), { seeds: 200, faults: ["kill", "delay"] })
    assert.isDefined(failure)
    assert.match(failure!.why, /^the account holds \d+ instead of 10$/)
    assert.isAtMost(failure!.outcome.decisions.length, 10)
    assert.isAbove(failure!.before, failure!.outcome.decisions.length)
    const { text } = failure!
    assert.include(text, `seed ${failure!.seed} fails: the account holds`)
    assert.include(text, formatDecisions(failure!.outcome.decisions))
    assert.match(text, /^ {2}\d+\.\d\d h\d dies: killed/m)
    // What it says is the run: it fails so again.
    const again = runSeed(payments(false), failure!.seed, {
      faults: ["kill", "delay"],
      decisions: failure!.outcome.decisions
    })
    assert.strictEqual(again.hash, failure!.outcome.hash)
    assert.strictEqual(again.failure, failure!.outcome.failure)
  })

  it("finds nothing where all is well, and nothing where nothing happens", () => {
    assert.isUndefined(simulate(payments(true), { seeds: 200, faults: allFaults }).failure)
    assert.isUndefined(simulate(payments(false), { seeds: 50 }).failure)
  })

  it("says who waits for the world outside", () => {
    const program = Effect.gen(function*() {
      const account = yield* ActorSystem.spawn(Account, { name: "account", config: { balance: 0 } })
      yield* account.Fetch(undefined, { deadline: "Infinity" })
    }).pipe(Effect.scoped, Effect.provide(system(true)))
    // Its heart beats on: what is given up is the wait for an end.
    const { failure } = runSeed(program, 1)
    assert.match(failure ?? "", /account has Fetch \(message 1\) in hand.*a promise, a socket/)
    const beside = Simulation.layer([behavior(true)], { placement: "fiber" })
    const fiber = Effect.gen(function*() {
      const account = yield* ActorSystem.spawn(Account, { name: "account", config: { balance: 0 } })
      yield* account.Fetch(undefined, { deadline: "Infinity" })
    }).pipe(Effect.scoped, Effect.provide(beside))
    assert.match(runSeed(fiber, 1).failure ?? "", /nothing more can happen.*account, a fiber, has 1 unanswered/)
    const alone = runSeed(Effect.promise(() => Promise.resolve(1)), 1)
    assert.match(alone.failure ?? "", /nothing more can happen.*the program itself waits.*a promise, a socket/)
  })

  it("builds what behaviors need anew in each host", () => {
    class Greeter extends Actor.make("Greeter", {
      protocol: [Actor.Rpc.make("Greet", { success: Schema.String })]
    }) {}
    const behavior = Greeter.behavior(({ name }) =>
      Effect.succeed({ handlers: { Greet: () => Effect.succeed(`I am ${name}`) } })
    )
    const program = Effect.gen(function*() {
      const greeter = yield* ActorSystem.spawn(Greeter, { name: "g" })
      const greeting = yield* greeter.Greet()
      if (greeting !== "I am g") return yield* Effect.fail(greeting)
    }).pipe(Effect.scoped, Effect.provide(Simulation.layer([behavior])))
    assert.isUndefined(simulate(program, { seeds: 20, faults: allFaults }).failure)
  })
})

vitest.it.simulate("no money is lost", payments(true), { seeds: 50, faults: ["kill", "delay"] })
