/** What a host says of actors that ask their neighbors, with an owner that does what the test says. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import * as Actor from "../../../src/actors/Actor.ts"
import { Rpc } from "../../../src/actors/Actor.ts"
import { behaviorsByName } from "../../../src/actors/hosts/behaviors.ts"
import { HostServer } from "../../../src/actors/hosts/HostServer.ts"
import type { Command, Report } from "../../../src/actors/links/HostLink.ts"

class Well extends Actor.make("Well", {
  protocol: [
    Rpc.make("Draw", { payload: { n: Schema.Int }, success: Schema.Int }),
    Rpc.make("Rest", { payload: { millis: Schema.Int } }),
    Rpc.make("Once", { success: Schema.Int }).annotate(Actor.NonReplayable, true),
    Rpc.make("Vague", { payload: { any: Schema.Unknown }, success: Schema.Int })
  ]
}) {}

const WellBehavior = Well.behavior(() =>
  Effect.succeed({
    handlers: {
      Draw: ({ n }) => Effect.succeed(n + 1),
      Rest: ({ millis }) => Effect.sleep(millis),
      Once: () => Effect.succeed(1),
      Vague: () => Effect.succeed(2)
    }
  })
)

const Way = Schema.Literals(["Draw", "twice", "at once", "after telling", "Once", "Vague"])

class Bucket extends Actor.make("Bucket", {
  config: Schema.Struct({ well: Actor.Ref(Well) }),
  protocol: [Rpc.make("Fill", { payload: { way: Way }, success: Schema.Int })]
}) {}

const BucketBehavior = Bucket.behavior(({ config: { well } }) =>
  Effect.succeed({
    handlers: {
      Fill: ({ way }) =>
        Effect.gen(function*() {
          const draw = well.Draw({ n: 5 })
          const both = { concurrency: "unbounded" } as const
          switch (way) {
            case "Draw":
              return yield* draw
            case "twice":
              return (yield* draw) + (yield* draw)
            case "at once":
              return (yield* Effect.all([well.Vague({ any: 1 }), draw], both))[1]
            case "after telling":
              return (yield* Effect.all([well.tell.Draw({ n: 1 }), draw], both))[1]
            case "Once":
              return yield* well.Once()
            case "Vague":
              return yield* well.Vague({ any: [] })
          }
        }).pipe(Effect.orDie)
    }
  })
)

const start = (actor: number, definition: string, config: unknown): Command => [
  "start",
  {
    actor,
    incarnation: 1,
    definition,
    name: definition.toLowerCase(),
    parent: undefined,
    system: "s",
    config,
    hasState: false,
    state: undefined,
    later: [],
    taken: 0
  }
]

const setUp = Effect.gen(function*() {
  const said: Array<Report> = []
  let hear: (batch: ReadonlyArray<Command>) => void = () => {}
  new HostServer({
    port: {
      post: (batch) => void said.push(...batch),
      listen: (received) => {
        hear = received
      },
      exit: () => {},
      harm: () => {},
      onExit: () => {}
    },
    behaviors: behaviorsByName([WellBehavior, BucketBehavior]),
    layer: Layer.empty,
    buildId: undefined,
    context: Context.empty()
  }).serve()
  yield* Effect.sleep(1)
  const none = Well.configCodec.encode(undefined)
  hear([
    start(1, "Well", none._tag === "Success" ? none.value : undefined),
    start(2, "Bucket", { well: { id: 1, name: "well", system: "s" } })
  ])
  yield* Effect.sleep(1)
  said.length = 0
  const tell = (...batch: ReadonlyArray<Command>) =>
    Effect.gen(function*() {
      said.length = 0
      hear(batch)
      yield* Effect.sleep(2)
      return said.map((report) =>
        report[0] === "asking"
          ? `asking ${report[4]} ${report[8]}${report[16] === undefined ? "" : ` taken ${report[16].join(" ")}`}`
          : report[0] === "replied"
          ? `replied ${report[1]} ${report[3]} ${String(report[5])}` +
            `${report[9] === undefined ? "" : ` told ${report[9].slice(0, 4).join(" ")}`}` +
            `${(report[10] ?? 0) === 0 ? "" : ` heard ${report[10]}`}`
          : report[0]
      )
    })
  return tell
})

const fill = (seq: number, way: typeof Way.Type): Command => ["message", 2, 1, seq, "Fill", { way }]

describe("neighbors", () => {
  it.live("are asked at once, and all of it is said in its order", () =>
    Effect.gen(function*() {
      const tell = yield* setUp
      assert.deepStrictEqual(yield* tell(fill(1, "Draw")), [
        "asking 1 Draw taken 1 -1 0",
        "replied 1 -1 6 told 2 1 1 1",
        "replied 2 1 6 heard 1"
      ])
      assert.deepStrictEqual(yield* tell(["message", 1, 1, 1, "Draw", { n: 0 }], fill(2, "twice")), [
        "replied 1 1 1",
        "asking 1 Draw taken 1 -2 1",
        "replied 1 -2 6 told 2 1 2 1",
        "asking 2 Draw taken 1 -3 1",
        "replied 1 -3 6 told 2 1 2 2",
        "replied 2 2 12 heard 2"
      ])
    }))

  it.live("are asked by way of the owner while they are busy, until what went there is answered", () =>
    Effect.gen(function*() {
      const tell = yield* setUp
      assert.deepStrictEqual(yield* tell(["message", 1, 1, 1, "Rest", { millis: 20 }], fill(1, "twice")), [
        "asking 1 Draw"
      ])
      yield* Effect.sleep(30)
      assert.deepStrictEqual(yield* tell(["answered", 2, 1, 1, 1, "success", 7, 1, 1]), [
        "asking 2 Draw taken 1 -1 1",
        "replied 1 -1 6 told 2 1 1 2",
        "replied 2 1 13 heard 1"
      ])
    }))

  it.live("are not asked before what was told, and do not answer before what else is under way", () =>
    Effect.gen(function*() {
      const tell = yield* setUp
      assert.deepStrictEqual(yield* tell(fill(1, "after telling")), ["asking 1 Draw", "asking 2 Draw"])
    }).pipe(Effect.andThen(Effect.gen(function*() {
      const tell = yield* setUp
      // Which of two comes first is for the owner to say; and what went by way of it is not to be overtaken.
      assert.deepStrictEqual(yield* tell(fill(1, "at once")), ["asking 1 Vague", "asking 2 Draw"])
    }))))

  for (const way of ["Once", "Vague"] as const) {
    it.live(`are asked by way of the owner for what ${way === "Once" ? "may run once only" : "is not plain data"}`, () =>
      Effect.gen(function*() {
        const tell = yield* setUp
        assert.deepStrictEqual(yield* tell(fill(1, way)), [`asking 1 ${way}`])
      }))
  }
})
