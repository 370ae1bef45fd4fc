/** Whole runs on devices other than the kernels: what they learn, what they say, and how one is chosen. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { availableParallelism } from "node:os"
import * as path from "node:path"
import { PackageFolders } from "../../src/model/devices/packages.ts"
import type { PartialConfig } from "../../src/runtime/config/configSources.ts"
import * as configSources from "../../src/runtime/config/configSources.ts"
import type { RunEvent } from "../../src/runtime/monitoring/RunEvent.ts"
import { RunEvents } from "../../src/runtime/monitoring/RunMonitor.ts"
import { settle } from "../../src/runtime/runDevice.ts"
import { type Ended, train } from "./running.ts"

const noticesOf = (events: ReadonlyArray<RunEvent>) =>
  events.flatMap((event) => event.event === "notice" ? [event.message] : [])

const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, weight, k) => Math.max(most, Math.abs(weight - b[k]!)), 0)

describe("a run on another device", () => {
  for (const device of ["reference", "tfjs-wasm"] as const) {
    it.live(`${device} solves CartPole, and says where it computed`, () =>
      Effect.gen(function*() {
        const { events, status } = yield* train({ device })
        assert.isTrue(status.solved)
        for (const event of events) {
          if (event.event === "started" || event.event === "finished") {
            assert.strictEqual(event.device, device)
            assert.strictEqual(event.seed, 1)
          }
        }
        assert.match(noticesOf(events)[0]!, new RegExp(`^the cpu device is .* faster than ${device} for this network`))
      }))
  }

  const short: PartialConfig = { totalTimesteps: 500, keepGoing: true, nEnvs: 4 }
  const runs = (given: PartialConfig) =>
    Effect.forEach(
      ["cpu", "reference", "tfjs-cpu", "tfjs-wasm"] as const,
      (device) => train({ ...short, ...given, device })
    )
  const assertAlike = (ends: ReadonlyArray<Ended>) => {
    for (const { weights } of ends) assert.isAtMost(largestDifference(weights, ends[0]!.weights), 1e-4)
  }

  it.live("learns the same from experience and from the gradients of the workers, whichever it is", () =>
    Effect.gen(function*() {
      assertAlike([...(yield* runs({ ship: "experience" })), ...(yield* runs({ ship: "gradients" }))])
    }))

  it.live("learns the same in several epochs, at the workers' own pace, and with Adam", () =>
    Effect.gen(function*() {
      assertAlike(yield* runs({ ship: "experience", nEpochs: 3, optimizer: "adam", lr: 0.001 }))
      assertAlike(yield* runs({ schedule: "seeded", optimizer: "adam", lr: 0.001 }))
    }))

  it.live("takes the same weights to the workers in threads as to fibers", () =>
    Effect.gen(function*() {
      const fibers = yield* train({ ...short, device: "tfjs-wasm" })
      const threads = yield* train({ ...short, device: "tfjs-wasm", placement: "thread", workers: 2 })
      assert.strictEqual(threads.hash, fibers.hash)
    }))
})

describe("device auto", () => {
  const settled = Effect.fnUntraced(function*(given: PartialConfig, place = path.resolve("package.json")) {
    const events: Array<RunEvent> = []
    const config = yield* configSources.resolve({ given: { device: "auto", ...given } }).pipe(
      Effect.provide(NodeServices.layer)
    )
    const result = yield* settle(config).pipe(
      Effect.provideService(RunEvents, { emit: (event) => Effect.sync(() => events.push(event)) }),
      Effect.provideService(PackageFolders, [place])
    )
    return { config: result, notices: noticesOf(events) }
  })

  it.live("is cpu for the default network, found by measuring, and gradients then travel", () =>
    Effect.gen(function*() {
      const { config, notices } = yield* settled({})
      assert.strictEqual(config.device, "cpu")
      assert.strictEqual(config.ship, "gradients")
      assert.match(notices[0]!, /^device auto is cpu: an update of 50 rows takes \S+ ms there/)
    }))

  it.live("looks for accelerators where an update takes long, and says what it found", () =>
    Effect.gen(function*() {
      const { config, notices } = yield* settled({ hidden: [512, 512], nSteps: 200, ship: "experience" })
      assert.strictEqual(config.device, "cpu")
      assert.strictEqual(config.ship, "experience", "what somebody chose stays")
      assert.match(
        notices[0]!,
        /^device auto is cpu: an update of 2000 rows takes \d+ ms on cpu, no accelerator is there$/
      )
    }))

  it.live("says of several threads that their time is reckoned", () =>
    Effect.gen(function*() {
      const given: PartialConfig = { hidden: [512, 512], nSteps: 200, placement: "thread", workers: 2 }
      const { notices } = yield* settled(given)
      const [, both, one] = /takes (\d+) ms on cpu with 2 threads, reckoned from (\d+) ms with one/.exec(notices[0]!)!
      // On a machine with one core both have that.
      const gain = Number(one) / Number(both)
      assert.isTrue(availableParallelism() === 1 ? gain < 1.1 : gain > 1.5 && gain < 1.9, notices[0])
    }))

  /** A place where tfjs-node is a counterfeit. */
  const withTfjsNode = Effect.fnUntraced(function*(source: string) {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    yield* fs.makeDirectory(`${folder}/node_modules/@tensorflow/tfjs-node`, { recursive: true })
    yield* fs.writeFileString(`${folder}/node_modules/@tensorflow/tfjs-node/index.js`, source)
    yield* fs.writeFileString(`${folder}/node_modules/@tensorflow/tfjs-node/package.json`, `{ "version": "4.22.0" }`)
    return `${folder}/package.json`
  })
  const large: PartialConfig = { hidden: [512, 512], nSteps: 200, ship: "experience" }

  it.live("does not pass over an accelerator that fails while it is measured", () =>
    Effect.gen(function*() {
      const place = yield* withTfjsNode(`module.exports = {
        tidy() { throw new Error("OOM when allocating tensor") }, keep() {}, scalar() {}, tensor1d() {}, env() {}, enableProdMode() {},
        findBackendFactory() {}, removeBackend() {}, registerBackend() {}, engine: () => ({ registry: {} }),
        setBackend: async () => true, getBackend: () => "tensorflow"
      }`)
      const { message } = yield* Effect.flip(settled(large, place))
      assert.match(message, /^The device tfjs-node is out of memory \(OOM when allocating tensor\)\. .*--device cpu\.$/)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("says why an accelerator that somebody has installed cannot be had", () =>
    Effect.gen(function*() {
      const place = yield* withTfjsNode(`throw new Error("No library.\\nLong story.")`)
      const { config, notices } = yield* settled(large, place)
      assert.strictEqual(config.device, "cpu")
      assert.match(notices[0]!, /ms on cpu, tfjs-node cannot be had \(@tensorflow\/tfjs-node fails: No library\)$/)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("is settled before the run: its events name the device, and its weights are those of that device", () =>
    Effect.gen(function*() {
      const given: PartialConfig = { totalTimesteps: 500, keepGoing: true }
      const chosen = yield* train({ ...given, device: "auto" })
      const named = yield* train({ ...given, device: "cpu" })
      assert.strictEqual(chosen.hash, named.hash)
      assert.isTrue(chosen.events.some((event) => event.event === "started" && event.device === "cpu"))
      assert.lengthOf(noticesOf(named.events), 0)
    }))
})
