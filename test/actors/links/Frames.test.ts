/** Frames come as they went, however the bytes are cut; what nobody has sent is refused, and takes no memory. */
import { assert, describe, it } from "@effect/vitest"
import { BatchWriter, Deframer, longFrame, readBatch, shortFrame } from "../../../src/actors/links/Frames.ts"
import { Malformed } from "../../../src/actors/links/WireFormat.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"

const frame = (kind: number, body: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(5 + body.length)
  new DataView(whole.buffer).setUint32(0, body.length, true)
  whole[4] = kind
  whole.set(body, 5)
  return whole
}

const batch = [
  ["message", 1, 1, 7, "Collect", { version: 3, weights: Float32Array.of(1.5, -0, Number.NaN), text: "größer €" }],
  ["ping", 12],
  ["start", { config: { bytes: new Uint8Array(300).fill(7), deep: [[[null, undefined, true]]] } }],
  ["numbers", new Float64Array([1, 2]), new Int32Array(3), new BigInt64Array([-5n]), new Uint8Array(0)]
]

describe("Deframer", () => {
  it("gives the frames back, however they are cut", () => {
    const random = Pcg64.fromSeed(1)
    for (let round = 0; round < 300; round++) {
      const sent = Array.from({ length: random.integers(1, 8) }, () => ({
        kind: random.integers(0, 256),
        body: Uint8Array.from({ length: random.integers(0, 400) }, () => random.integers(0, 256))
      }))
      const wire = Buffer.concat(sent.map(({ body, kind }) => frame(kind, body)))
      const heard: Array<{ kind: number; body: Uint8Array }> = []
      const deframer = new Deframer((kind, body) => heard.push({ kind, body: Uint8Array.from(body) }))
      for (let at = 0; at < wire.length;) {
        const count = random.integers(1, 90)
        deframer.push(wire.subarray(at, at + count))
        at += count
      }
      assert.deepStrictEqual(heard, sent)
    }
  })

  it("refuses a frame that is longer than it may be, by its first bytes", () => {
    const deframer = new Deframer(() => {})
    const start = new Uint8Array(5)
    new DataView(start.buffer).setUint32(0, shortFrame + 1, true)
    assert.throws(() => deframer.push(start), Malformed)
    const trusting = new Deframer(() => {})
    trusting.limit = longFrame
    const before = process.memoryUsage().arrayBuffers
    new DataView(start.buffer).setUint32(0, longFrame, true)
    trusting.push(start)
    assert.isBelow(process.memoryUsage().arrayBuffers - before, 1e6)
  })
})

describe("batches", () => {
  const writer = new BatchWriter()

  it("come as they went, typed arrays in memory of their own", () => {
    const read = readBatch(writer.write(batch)!)
    assert.deepStrictEqual(read, batch)
    const floats = (read[0]![5] as { weights: Float32Array }).weights
    assert.strictEqual(floats.buffer.byteLength, floats.byteLength)
    const large = [["large", new Float32Array(1_000_000).fill(0.5)]]
    assert.deepStrictEqual(readBatch(writer.write(large)!), large)
  })

  it("that hold what cannot leave the machine are not written", () => {
    for (const foreign of [new SharedArrayBuffer(8), () => 1, new Map(), new Date(), Symbol("s"), 1n]) {
      assert.isUndefined(writer.write([["message", foreign]]))
    }
  })

  it("that nobody has written are refused: a hundred thousand of them, without a hang, or memory that grows", () => {
    // A trace of each would take most of the time.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    const random = Pcg64.fromSeed(5)
    const whole = writer.write(batch)!
    const before = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
    let refused = 0
    for (let i = 0; i < 100_000; i++) {
      const garbled = whole.slice(0, random.integers(0, whole.length + 1))
      for (let hits = random.integers(1, 5); hits > 0; hits--) {
        if (garbled.length > 0) garbled[random.integers(0, garbled.length)] = random.integers(0, 256)
      }
      try {
        // What still can be read is data, whatever it says.
        assert.isArray(readBatch(garbled))
      } catch (error) {
        if (!(error instanceof Malformed)) throw error
        refused++
      }
    }
    Error.stackTraceLimit = stackTraceLimit
    assert.isAbove(refused, 50_000)
    assert.isBelow(process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers - before, 2e8)
  })
})
