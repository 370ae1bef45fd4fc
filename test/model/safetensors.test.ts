import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { decode, encode } from "../../src/model/safetensors.ts"

const Side = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 }))
// Names that JSON writes as they are: V8 13.6 sometimes reads a key that is one escaped character as another.
const Name = Schema.String.check(
  Schema.isMinLength(1),
  Schema.isMaxLength(8),
  Schema.makeFilter((name: string) =>
    JSON.stringify(name) === `"${name}"` && name !== "__proto__" && name !== "__metadata__" && !/^\d+$/.test(name)
  )
)

const tensor = (rows: number, columns: number) => ({
  shape: [rows, columns],
  data: Float32Array.from({ length: rows * columns }, (_, i) => i / 3 - 1)
})

describe("safetensors", () => {
  it.effect.prop(
    "reads what it wrote",
    [Schema.Array(Name), Side, Side, Schema.String],
    ([names, rows, columns, note]) =>
      Effect.gen(function*() {
        const tensors = Object.fromEntries(names.map((name) => [name, tensor(rows, columns)]))
        const bytes = encode({ metadata: { note }, tensors })
        assert.strictEqual(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8, 0)
        assert.deepStrictEqual(yield* decode(bytes), { metadata: { note }, tensors })
      })
  )

  it.effect("writes what the safetensors package of Python writes", () =>
    Effect.gen(function*() {
      // safetensors.numpy.save({"a": np.array([[1, 2]], dtype=np.float32)}, metadata={"k": "v"}), header keys in our order.
      const header = `{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}`
      const bytes = encode({ metadata: { k: "v" }, tensors: { a: { shape: [1, 2], data: Float32Array.of(1, 2) } } })
      assert.strictEqual(new TextDecoder().decode(bytes.subarray(8, bytes.length - 8)).trimEnd(), header)
      assert.deepStrictEqual([...bytes.subarray(bytes.length - 8)], [0, 0, 128, 63, 0, 0, 0, 64])
    }))

  it.effect("refuses every cut and every damaged header with a sentence", () =>
    Effect.gen(function*() {
      const bytes = encode({ metadata: {}, tensors: { a: tensor(2, 3) } })
      for (let length = 0; length < bytes.length; length++) {
        const error = yield* Effect.flip(decode(bytes.subarray(0, length)))
        assert.match(error.message, /^This is not a readable safetensors file: /)
      }
      const damaged = bytes.slice()
      damaged[8] = 0x21
      assert.match((yield* Effect.flip(decode(damaged))).message, /its header is wrong/)
      const infinite = bytes.slice()
      infinite.fill(0xff, bytes.length - 4)
      assert.match((yield* Effect.flip(decode(infinite))).message, /not finite/)
    }))
})
