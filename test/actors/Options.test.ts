/** Options are refused where they are given, in one sentence. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Schema } from "effect"
import * as Actor from "../../src/actors/Actor.ts"
import { ActorSystem, type ThreadSystemOptions } from "../../src/actors/ActorSystem.ts"
import type { SystemFailure } from "../../src/actors/errors.ts"
import * as ActorHost from "../../src/actors/hosts/ActorHost.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import { makeGate, Probe } from "./fixtures/probe.ts"
import { Tally, TallyBehavior } from "./fixtures/tally.ts"
import { entry, placements } from "./placements.ts"

const refusal = (options: object) =>
  Effect.map(
    Effect.flip(Effect.scoped(
      // Wrong on purpose: what the types do not catch, or somebody without types writes.
      Layer.build(ActorSystem.layerThread({ entry, ...options } as ThreadSystemOptions))
    )),
    ({ message }) => message
  )

describe("options", () => {
  it.effect("of a layer", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [object, string]> = [
        [{ hosts: Number.NaN }, `"hosts" of ActorSystem.layerThread must be a whole number of at least 1, not NaN`],
        [{ hosts: 0 }, "a whole number of at least 1, not 0"],
        [{ hosts: 512 }, "a whole number from 1 to 511, not 512"],
        [{ mailbox: 0 }, `"mailbox" of`],
        [{ spares: 65 }, `"spares" of ActorSystem.layerThread must be a whole number from 0 to 64, not 65`],
        [{ heartbeat: Number.NaN }, "must be a duration above zero, not NaN"],
        [{ heartbeat: "0 millis" }, "must be a duration above zero"],
        [{ startDeadline: "Infinity" }, "must be a duration of at most 24 days"],
        [{ grace: "soon" }, `must be a duration of at most 24 days, not negative, not "soon"`],
        [{ askDeadline: -1 }, "must be a duration, not negative, not -1"],
        [{ supervision: Supervision.oneForOne({ maxRestarts: 1.5 }) }, `"supervision.maxRestarts" of`]
      ]
      for (const [options, expected] of cases) assert.include(yield* refusal(options), expected)
      const nested = yield* Effect.flip(
        Effect.scoped(Layer.build(ActorSystem.layer({ process: { entry, hosts: -1 } })))
      )
      assert.include(nested.message, `"process.hosts" of ActorSystem.layer must`)
    }))

  it.effect("that do not exist, of a layer", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [object, string]> = [
        [
          { host: 2 },
          `ActorSystem.layerThread has no option "host"; there are askDeadline, buildId, `
        ],
        [{ memoryLimit: { heap: 40 } }, `ActorSystem.layerThread has no option "memoryLimit"; there are`],
        [{ placement: "fiber" }, `has no option "placement"`],
        [{ toString: 1 }, `has no option "toString"`],
        [{ resourceLimits: { maxOldGenerationSizeMB: 8 } }, `has no option "resourceLimits.maxOldGenerationSizeMB"`],
        [{ resourceLimits: 8 }, `"resourceLimits" of ActorSystem.layerThread must be an object, not 8`],
        [{ supervision: Supervision.oneForOne({ maxRestart: 3 } as object) }, `has no option "supervision.maxRestart"`],
        [{ supervision: "oneForOne" }, "must be made by Supervision.oneForOne, oneForAll or restForOne"],
        [{ entry: "./host.ts" }, `"entry" of ActorSystem.layerThread must be a URL, not "./host.ts"`],
        [{ entry: undefined }, `must be a URL, not undefined`],
        [{ wrapLink: {} }, "must be a function"]
      ]
      for (const [options, expected] of cases) assert.include(yield* refusal(options), expected)
      const build = (layer: Layer.Layer<ActorSystem, SystemFailure>) =>
        Effect.map(Effect.flip(Effect.scoped(Layer.build(layer))), ({ message }) => message)
      assert.strictEqual(
        yield* build(ActorSystem.layerFiber([], { mailBox: 3 } as object)),
        `ActorSystem.layerFiber has no option "mailBox"; there are askDeadline, checks, grace, mailbox, observer, supervision`
      )
      assert.include(
        yield* build(ActorSystem.layerProcess({ entry, memoryLimit: { rss: 3 } as object })),
        `ActorSystem.layerProcess has no option "memoryLimit.rss"; there are heap, resident`
      )
      const nested = { thread: { entry, hots: 1 } }
      assert.include(
        yield* build(ActorSystem.layer(nested)),
        `ActorSystem.layer has no option "thread.hots"; there are`
      )
    }))

  it("that do not exist, of a definition and of a host", () => {
    const misspelled = { protocol: [], stat: Schema.Void }
    assert.throws(
      () => Actor.make("X", misspelled),
      `Actor.make("X") has no option "stat"; there are config, protocol, state`
    )
    const build: object = { buildID: "a" }
    assert.throws(
      () => ActorHost.launch([], build),
      `ActorHost.launch has no option "buildID"; there are buildId, layer`
    )
  })

  it.effect("that do not exist, of a spawn and an ask", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const config = { start: 0 }
      const cases: ReadonlyArray<readonly [object, string]> = [
        [
          { maxConcurency: 3 },
          `ActorSystem.spawn has no option "maxConcurency"; there are config, grace, host, mailbox, `
        ],
        [
          { supervision: Supervision.restForOne({ strategy: "one-for-all" } as object) },
          `option "supervision.strategy"`
        ],
        [
          { supervision: Supervision.oneForOne({ decide: "stop" } as object) },
          `"supervision.decide" of ActorSystem.spawn must`
        ],
        [{ supervision: Supervision.oneForOne({ backoff: "1 second" } as object) }, `"supervision.backoff" of`],
        [{ supervision: { maxRestarts: 1 } }, "must be made by Supervision.oneForOne"],
        [{ supervision: null }, "must be made by Supervision.oneForOne"]
      ]
      for (const [options, expected] of cases) {
        assert.include((yield* Effect.flip(system.spawn(Tally, { config, ...options }))).message, expected)
      }
      const tally = yield* system.spawn(Tally, { name: "a", config })
      const asks: ReadonlyArray<readonly [object, string]> = [
        [{ deadlin: 3 }, `there is no "deadlin", only deadline and whenFull`],
        [{ whenFull: "wait" }, `its whenFull must be "suspend" or "fail", not "wait"`],
        [Number as object, "they must be an object, not a function"]
      ]
      for (const [options, expected] of asks) {
        for (const ask of [tally.Add({ n: 1 }, options), tally.tell.Add({ n: 1 }, options)]) {
          assert.strictEqual((yield* Effect.flip(ask)).message, `the options of a.Add were refused: ${expected}`)
        }
      }
      assert.deepInclude(yield* tally.Read(), { total: 0 })
    }).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([TallyBehavior]))))

  it.effect("of a spawn, its supervision, and an ask", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const config = { start: 0 }
      const cases: ReadonlyArray<readonly [object, string]> = [
        [{ mailbox: 0 }, `"mailbox" of ActorSystem.spawn must be a whole number of at least 1, not 0`],
        [{ name: "" }, `"name" of`],
        [{ host: -1 }, `"host" of`],
        [{ placement: "cloud" }, `must be "fiber" or "thread" or "process" or "runner", not "cloud"`],
        [{ supervision: Supervision.oneForOne({ maxConsecutive: 0 }) }, `"supervision.maxConsecutive" of`],
        [{ supervision: Supervision.oneForAll({ within: Number.NaN }) }, `"supervision.withinMillis" of`]
      ]
      for (const [options, expected] of cases) {
        assert.include((yield* Effect.flip(system.spawn(Tally, { config, ...options }))).message, expected)
      }
      const tally = yield* system.spawn(Tally, { name: "a", config })
      const refused = yield* Effect.flip(tally.Add({ n: 1 }, { deadline: Number.NaN }))
      assert.strictEqual(
        refused.message,
        "the options of a.Add were refused: its deadline must be a duration, not negative"
      )
      assert.deepInclude(yield* tally.Read(), { total: 0 })
    }).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([TallyBehavior]))))
})

describe("two of one name", () => {
  const twin = (answer: number) =>
    class extends Actor.make("Twin", { protocol: [Actor.Rpc.make("Which", { success: Schema.Int })] }) {}.behavior(() =>
      Effect.succeed({ handlers: { Which: () => Effect.succeed(answer) } })
    )
  class Twin extends Actor.make("Twin", { protocol: [Actor.Rpc.make("Which", { success: Schema.Int })] }) {}
  const two = [twin(1), twin(2)]
  const sentence = (option: string, of: string) =>
    `option "${option}" of ${of} must be one behavior for each name of a definition, not two of "Twin"`

  it.effect("definitions, in a layer", () =>
    Effect.gen(function*() {
      const build = (layer: Layer.Layer<ActorSystem, SystemFailure>) =>
        Effect.map(Effect.flip(Effect.scoped(Layer.build(layer))), ({ message }) => message)
      assert.strictEqual(yield* build(ActorSystem.layerFiber(two)), sentence("behaviors", "ActorSystem.layerFiber"))
      assert.strictEqual(yield* build(ActorSystem.layer({ fiber: two })), sentence("fiber", "ActorSystem.layer"))
      // The same one twice is no question.
      yield* Effect.scoped(Layer.build(ActorSystem.layerFiber([two[0]!, two[0]!])))
    }))

  it("definitions, in a host", () => {
    assert.throws(() => ActorHost.launch(two), sentence("behaviors", "ActorHost.launch"))
  })

  it.live("definitions, in the entry of a thread", () =>
    Effect.gen(function*() {
      const layer = ActorSystem.layerThread({ entry: new URL("./fixtures/twins.host.ts", import.meta.url) })
      const failure = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
      assert.strictEqual(failure._tag, "HostStartFailed")
      assert.include(failure.message, sentence("behaviors", "ActorHost.launch"))
    }))

  it.effect("the one spawned, and the one there is a behavior of", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(ActorSystem.spawn(Twin, { name: "a" }))
      assert.strictEqual(
        failure.message,
        "a could not start: the behavior given is of another definition that is named Twin, too"
      )
    }).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([twin(1)]))))

  it("methods", () => {
    const protocol = [Actor.Rpc.make("Do", {}), Actor.Rpc.make("Do", { payload: { n: Schema.Int } })]
    assert.throws(
      () => Actor.make("X", { protocol }),
      `option "protocol" of Actor.make("X") must be methods with names of their own, not two of "Do"`
    )
    // As a program without types may have it.
    const tell: { readonly protocol: never } = { protocol: [Actor.Rpc.make("tell", {})] as never }
    assert.throws(
      () => Actor.make("X", tell),
      `option "protocol" of Actor.make("X") must be methods of other names than name, definition, tell, then, not one of "tell"`
    )
  })
})

describe("what is none", () => {
  class Plain extends Actor.make("Plain", { protocol: [Actor.Rpc.make("Do", {})] }) {}
  const PlainBehavior = Plain.behavior(() => Effect.succeed({ handlers: { Do: () => Effect.void } }))

  it.live("a definition", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(ActorSystem.spawn(PlainBehavior as never, {}))
      assert.include(failure.message, `option "definition" of ActorSystem.spawn must be what Actor.make gives`)
    }).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([PlainBehavior]))))

  it("a name, and a method that is asked", () => {
    const reason = (name: string, ...protocol: ReadonlyArray<unknown>) => {
      try {
        return Actor.make(name, { protocol: protocol as never }).actorName
      } catch (error) {
        return error instanceof Error ? error.message : error
      }
    }
    assert.strictEqual(reason(""), `option "name" of Actor.make must be a text that is not empty, not ""`)
    assert.strictEqual(
      reason("X", 5),
      `option "protocol" of Actor.make("X") must be a list of Rpc definitions, not [5]`
    )
    assert.strictEqual(
      reason("X", Actor.Rpc.make("Watch", { success: Schema.Int, stream: true })),
      `option "protocol" of Actor.make("X") must be methods that answer once, ` +
        `not "Watch", which is a stream: let it be asked for the next piece`
    )
  })

  it.live("a handler", () =>
    Effect.gen(function*() {
      const Do = () => Effect.void
      const cases: ReadonlyArray<readonly [unknown, string]> = [
        [undefined, "must give handlers, not undefined"],
        [{ handlers: {} }, `has no handler for "Do"`],
        [{ handlers: { Do, Done: Do } }, `has a handler for "Done", which is none of its methods: Do`]
      ]
      for (const [serving, expected] of cases) {
        const behavior = Plain.behavior(() => Effect.succeed(serving as never))
        const spawning = Effect.scoped(Effect.flip(ActorSystem.spawn(Plain, { name: "a" })))
        const failure = yield* Effect.provide(spawning, ActorSystem.layerFiber([behavior]))
        assert.strictEqual(failure.message, `a could not start: the behavior of Plain ${expected}`)
      }
    }))

  describe("an actor of the system", () => {
    class Stopper extends Actor.make("Stopper", { protocol: [Actor.Rpc.make("Stop", { success: Schema.String })] }) {}
    let whom: unknown
    const behavior = Stopper.behavior(() =>
      Effect.succeed({
        handlers: {
          Stop: () =>
            Effect.match(Effect.flatMap(ActorSystem, (system) => system.stop(whom as never)), {
              onFailure: ({ message }) => message,
              onSuccess: () => "stopped"
            })
        }
      })
    )
    const supervision = Supervision.oneForOne({ maxRestarts: 0 })
    const setUp = Effect.gen(function*() {
      const system = Context.get(yield* Layer.build(Layer.fresh(ActorSystem.layerFiber([behavior]))), ActorSystem)
      return { system, stopper: yield* system.spawn(Stopper, { name: "stopper", supervision }) }
    })

    it.live("but something else", () =>
      Effect.gen(function*() {
        const { stopper, system } = yield* setUp
        const sentence = (member: string, given: string) =>
          `option "actor" of ActorSystem.${member} must be a reference or a name, not ${given}`
        const defect = (effect: Effect.Effect<unknown, unknown>) =>
          Effect.catchDefect(effect, (defect) => Effect.succeed(String(defect)))
        for (const member of ["watch", "stop", "kill"] as const) {
          assert.include(yield* defect(system[member](5 as never)), sentence(member, "5"))
        }
        assert.include(
          yield* defect(system.lookup(undefined as never, "stopper")),
          `option "definition" of ActorSystem.lookup must be what Actor.make gives`
        )
        const made: { readonly Stop: unknown } = Object.create(stopper)
        assert.throws(
          () => made.Stop,
          `"Stop" must be asked of the reference to an actor itself, not of something made from it`
        )
        whom = { name: "stopper" }
        const failure = yield* Effect.flip(stopper.Stop())
        assert.include(failure.message, sentence("stop", `{"name":"stopper"}`))
      }).pipe(Effect.scoped))

    it.live("but of another, where one of the same name and number is", () =>
      Effect.gen(function*() {
        const { stopper, system } = yield* setUp
        const other = yield* setUp
        whom = other.stopper
        const sentence = "no living actor is named stopper (of another system)"
        assert.strictEqual(yield* stopper.Stop(), sentence)
        assert.strictEqual((yield* Effect.flip(system.stop(other.stopper))).message, sentence)
        // Both are still there.
        assert.strictEqual(yield* stopper.Stop(), sentence)
        assert.strictEqual(yield* other.stopper.Stop(), "stopped")
      }).pipe(Effect.scoped))
  })

  it.live("a behavior", () =>
    Effect.gen(function*() {
      for (const behaviors of [[Plain], PlainBehavior, undefined]) {
        const failure = yield* Effect.flip(Effect.scoped(Layer.build(ActorSystem.layerFiber(behaviors as never))))
        assert.include(failure.message, `option "behaviors" of ActorSystem.layerFiber must be a list of what`)
      }
    }))
})

it.live("an interrupted spawn leaves its name at once", () =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    const config = { gate: makeGate(), start: 0 }
    const spawning = yield* Effect.forkChild(
      system.spawn(Probe, { name: "a", config, placement: "thread" }),
      { startImmediately: true }
    )
    yield* Fiber.interrupt(spawning)
    const again = yield* system.spawn(Probe, { name: "a", config })
    assert.strictEqual(yield* again.Append({ n: 1 }), 2)
  }).pipe(Effect.scoped, Effect.provide(placements.thread())))
