/** Both ends of a link in one thread: order whatever way a batch takes, back-pressure, and what is left of the dead. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { MessageChannel } from "node:worker_threads"
import { makeBells } from "../../../src/actors/links/Doorbell.ts"
import { allocate, type Ends, format, SharedLink } from "../../../src/actors/links/SharedLink.ts"

type Batch = ReadonlyArray<ReadonlyArray<unknown>>

const setUp = () => {
  const { port1, port2 } = new MessageChannel()
  const shared = {
    format,
    memory: allocate(),
    bells: makeBells(),
    places: [0, 1] as const,
    spinMillis: 0,
    handOvers: undefined
  }
  const heard: Array<ReadonlyArray<unknown>> = []
  const end = (side: "owner" | "host", port: Ends["port"], received: (batch: Batch) => void) =>
    new SharedLink({
      ends: { ...shared, port },
      side,
      expecting: () => false,
      owed: () => 0,
      received,
      failed: (error) => {
        throw error
      }
    })
  const host = end("host", port2, () => {})
  const owner = end("owner", port1, (batch) => void heard.push(...batch))
  return { owner, host, heard, close: () => port1.close() }
}

const Send = Schema.Struct({
  kind: Schema.Literals(["small", "kilobyte", "large", "huge", "typed"]),
  size: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4 })),
  hear: Schema.Boolean
})

const payload = (kind: (typeof Send.Type)["kind"], n: number): unknown => {
  switch (kind) {
    case "small":
      return n
    case "kilobyte":
      return "k".repeat(1024)
    case "large":
      return "l".repeat(100_000)
    case "huge":
      return "h".repeat(200_000)
    case "typed":
      return Float32Array.of(n)
  }
}

describe("SharedLink", () => {
  it.prop("batches come in order, in the ring, by the port and from memory", [Schema.Array(Send)], ([sends]) => {
    const { close, heard, host, owner } = setUp()
    const sent: Array<ReadonlyArray<unknown>> = []
    sends.forEach(({ hear, kind, size }, n) => {
      const batch = Array.from({ length: size }, (_, i) => [n, i, payload(kind, n)])
      host.send(batch)
      sent.push(...batch)
      if (hear && owner.ready) owner.hear()
    })
    while (owner.ready || host.ready) {
      if (owner.ready) owner.hear()
      if (host.ready) host.hear()
    }
    close()
    assert.deepStrictEqual(heard, sent)
  })

  it("a full ring keeps nobody waiting and loses nothing", () => {
    const { close, heard, host, owner } = setUp()
    const text = "x".repeat(1000)
    for (let n = 0; n < 2000; n++) host.send([[n, text]])
    assert.isFalse(host.ready)
    for (let rounds = 0; heard.length < 2000; rounds++) {
      assert.isBelow(rounds, 2000)
      while (owner.ready) owner.hear()
      if (host.ready) host.hear()
    }
    close()
    assert.deepStrictEqual(heard.map(([n]) => n), Array.from({ length: 2000 }, (_, n) => n))
  })

  it("a batch that cannot be cloned throws, nothing of it is sent, and the next one comes", () => {
    const { close, heard, host, owner } = setUp()
    assert.throws(() => host.send([[1], [2, () => 1]]), /could not be cloned/)
    host.send([[3]])
    while (owner.ready) owner.hear()
    close()
    assert.deepStrictEqual(heard, [[3]])
  })

  it("what had found no room when its thread ended is heard, in order", () => {
    const { close, heard, host, owner } = setUp()
    const sent: Batch = Array.from({ length: 1000 }, (_, n) => [n, n % 7 === 3 ? Int32Array.of(n) : "x".repeat(1000)])
    for (const tuple of sent) host.send([tuple])
    host.spill()
    owner.finish()
    close()
    assert.deepStrictEqual(heard, sent)
  })

  it("of a thread that was ended in the middle, what is whole is heard, and nothing out of order", () => {
    const { close, heard, host, owner } = setUp()
    const sent: Batch = Array.from({ length: 1000 }, (_, n) => [n, n % 7 === 3 ? Int32Array.of(n) : "x".repeat(1000)])
    for (const tuple of sent) host.send([tuple])
    owner.finish()
    close()
    assert.isAbove(heard.length, 100)
    assert.isBelow(heard.length, 1000)
    assert.deepStrictEqual(heard, sent.slice(0, heard.length))
  })

  it("a moved buffer is gone here and whole there", () => {
    const { close, heard, host, owner } = setUp()
    const bytes = new Uint8Array([1, 2, 3])
    host.send([["moved", bytes]], [bytes.buffer])
    assert.strictEqual(bytes.length, 0)
    while (owner.ready) owner.hear()
    close()
    assert.deepStrictEqual(heard, [["moved", new Uint8Array([1, 2, 3])]])
  })
})
