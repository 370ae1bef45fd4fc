/** Frames come whole and in order, wherever the ring stands, and nothing is read before it is whole. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { byteLength, RingReader, RingWriter } from "../../../src/actors/links/ByteRing.ts"

const setUp = (capacity: number) => {
  const memory = new SharedArrayBuffer(byteLength(capacity))
  return { writer: new RingWriter(memory, 0, capacity), reader: new RingReader(memory, 0, capacity) }
}

const frame = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => seed + i * 7)

const take = (reader: RingReader): ReadonlyArray<number> | "marker" | undefined => {
  const next = reader.next()
  if (next === undefined) return undefined
  const content = next === "marker" ? next : [...reader.bytes.subarray(reader.offset, reader.offset + next)]
  reader.release()
  return content
}

const Step = Schema.Struct({
  /** What the writer does, then how many frames the reader takes. */
  length: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 56 })),
  way: Schema.Literals(["put", "in place", "marker"]),
  reads: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))
})

describe("ByteRing", () => {
  it.prop("what is written is read, in order, at every offset", [Schema.Array(Step)], ([steps]) => {
    const { reader, writer } = setUp(128)
    const expected: Array<ReadonlyArray<number> | "marker"> = []
    const read: Array<ReadonlyArray<number> | "marker"> = []
    steps.forEach(({ length, reads, way }, seed) => {
      const content = frame(length, seed)
      if (way === "marker") {
        if (writer.fits(0)) {
          writer.mark()
          expected.push("marker")
        }
      } else if (way === "put") {
        if (writer.fits(length)) {
          writer.put(content)
          expected.push([...content])
        }
      } else if (writer.room >= length) {
        writer.bytes.set(content, writer.offset)
        writer.commit(length)
        expected.push([...content])
      }
      for (let i = 0; i < reads; i++) {
        const next = take(reader)
        if (next !== undefined) read.push(next)
      }
    })
    for (let next = take(reader); next !== undefined; next = take(reader)) read.push(next)
    assert.deepStrictEqual(read, expected)
    // Empty, it takes the longest frame wherever it stands.
    assert.isTrue(writer.fits(writer.longest))
  })

  it("goes round at every offset and for every length", () => {
    for (let start = 0; start < 128; start += 8) {
      for (let length = 0; length <= 56; length++) {
        const { reader, writer } = setUp(128)
        for (let i = 0; i < start; i += 8) {
          writer.mark()
          take(reader)
        }
        for (let round = 0; round < 5; round++) {
          assert.isTrue(writer.fits(length))
          writer.put(frame(length, round))
          assert.deepStrictEqual(take(reader), [...frame(length, round)])
        }
      }
    }
  })

  it("goes on when its words overflow", () => {
    const { reader, writer } = setUp(64)
    // To write 2^32 bytes would take long: we start short of where a word of 32 bits turns negative.
    const far = 2 ** 31 - 32
    Object.assign(writer, { tail: far, head: far })
    Object.assign(reader, { head: far })
    const words = new Int32Array(writer.bytes.buffer, 0, 17)
    words[0] = far
    words[16] = far
    for (let i = 0; i < 20; i++) {
      assert.isTrue(writer.fits(20))
      writer.put(frame(20, i))
      assert.deepStrictEqual(take(reader), [...frame(20, i)])
    }
  })

  it("a frame that is being written cannot be read", () => {
    const { reader, writer } = setUp(128)
    writer.bytes.fill(1)
    assert.isFalse(reader.ready)
    assert.isUndefined(reader.next())
    writer.commit(8)
    assert.isTrue(reader.ready)
  })

  it("a full ring takes nothing, and its reader is told that somebody waits", () => {
    const { reader, writer } = setUp(64)
    let count = 0
    for (; writer.fits(12); count++) writer.put(frame(12, count))
    assert.strictEqual(count, 4)
    assert.isBelow(writer.room, 0)
    writer.starve()
    reader.next()
    assert.isTrue(reader.release())
    reader.next()
    assert.isFalse(reader.release())
    assert.isTrue(writer.fits(12))
  })
})
