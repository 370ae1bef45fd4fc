/** Weights, checkpoints and recordings from anybody: changed byte by byte, and in what their headers say. */
import { assert, describe, it } from "@effect/vitest"
import { ByteSize, Effect, FileSystem } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import * as recording from "../../src/runtime/arrivals/recording.ts"
import * as RunState from "../../src/runtime/checkpoint/RunState.ts"
import { presets } from "../../src/runtime/config/presets.ts"
import { Policy } from "../../src/runtime/evaluation/Policy.ts"
import { Chance, changedBytes, changedText, lawful, rounds, seed, withDigest } from "./fuzzing.ts"

const folders = new URL("../runtime/golden/folders/", import.meta.url)
const runs = readdirSync(folders, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) =>
  name
)
const golden = (run: string, name: string) => readFileSync(new URL(`${run}/${name}`, folders))

/** A file as a head of lines, JSON, and the rest: how it is put together again with other JSON. */
interface Dissected {
  readonly bytes: Uint8Array
  readonly json: unknown
  readonly assemble: (json: string) => Uint8Array
}

const safetensors = (run: string): Dissected => {
  const bytes = golden(run, "policy.safetensors")
  const end = 8 + Number(bytes.readBigUInt64LE(0))
  return {
    bytes,
    json: JSON.parse(bytes.subarray(8, end).toString()),
    assemble: (json) => {
      const size = Buffer.alloc(8)
      size.writeBigUInt64LE(BigInt(Buffer.byteLength(json)))
      return Buffer.concat([size, Buffer.from(json), bytes.subarray(end)])
    }
  }
}

/** A line, a line of JSON, numbers, and a digest. */
const digested = (bytes: Buffer): Dissected => {
  const line = bytes.indexOf("\n") + 1
  const end = bytes.indexOf("\n", line)
  return {
    bytes,
    json: JSON.parse(bytes.subarray(line, end).toString()),
    assemble: (json) =>
      withDigest(Buffer.concat([bytes.subarray(0, line), Buffer.from(json), bytes.subarray(end, -32)]))
  }
}

const checkpoint = (run: string): Dissected => {
  const [name = ""] = readdirSync(new URL(`${run}/checkpoints/`, folders))
  return digested(golden(run, `checkpoints/${name}`))
}

const readPolicy = (bytes: Uint8Array) =>
  Policy.load("policy.safetensors").pipe(
    Effect.provide(FileSystem.layerNoop({
      readFile: () => Effect.succeed(new Uint8Array(bytes)),
      stat: () => Effect.succeed(info(bytes.length))
    }))
  )

const info = (size: number): FileSystem.File.Info => {
  const none = { _tag: "None" } as never
  return {
    type: "File",
    mtime: none,
    atime: none,
    birthtime: none,
    dev: 0n,
    ino: none,
    mode: 0,
    nlink: none,
    uid: none,
    gid: none,
    rdev: none,
    size: ByteSize.fromInputUnsafe(size),
    blksize: none,
    blocks: none
  }
}

interface Kind {
  readonly of: ReadonlyArray<Dissected>
  readonly read: (bytes: Uint8Array) => Effect.Effect<unknown, { readonly message: string }>
}

const here = { ...presets.a2c, workers: 1 }
const kinds: Readonly<Record<string, Kind>> = {
  "a policy": { of: runs.map(safetensors), read: readPolicy },
  "a checkpoint": { of: runs.map(checkpoint), read: RunState.decode },
  "a recording": {
    of: runs.filter((run) => readdirSync(new URL(`${run}/`, folders)).includes("arrivals.bin")).map((run) =>
      digested(golden(run, "arrivals.bin"))
    ),
    read: (bytes) => recording.read(bytes, "arrivals.bin", here)
  }
}

describe("a data file from anybody", () => {
  for (const [kind, { of, read }] of Object.entries(kinds)) {
    it.live(`${kind} is read or refused in a sentence, whatever its bytes`, () =>
      Effect.gen(function*() {
        const chance = new Chance(seed)
        for (const { bytes } of of) assert.isTrue(yield* lawful(() => kind, read(bytes)))
        for (let round = 0; round < rounds; round++) {
          const { assemble, bytes, json } = chance.of(of)
          const changed = changedBytes(chance, bytes)
          yield* lawful(() => `${kind}, seed ${seed}, round ${round}`, read(changed))
          // The same with a digest that fits.
          const inner = changedBytes(chance, assemble(JSON.stringify(json)).subarray(0, -32))
          yield* lawful(() => `${kind}, seed ${seed}, round ${round}, digested`, read(withDigest(inner)))
        }
      }), 120_000)

    it.live(`${kind} is read or refused in a sentence, whatever its header says`, () =>
      Effect.gen(function*() {
        const chance = new Chance(seed + 1)
        let whole = 0
        for (let round = 0; round < 2 * rounds; round++) {
          const { assemble, json } = chance.of(of)
          const text = changedText(chance, json)
          if (
            yield* lawful(() => `${kind}, seed ${seed}, round ${round}: ${text.slice(0, 300)}`, read(assemble(text)))
          ) whole++
        }
        // Changes that mean nothing to the reader are among them; most are seen.
        assert.isBelow(whole, 2 * rounds * 0.8)
      }), 120_000)
  }
})
