/** The quick way through a codec accepts nothing that the schema refuses, and gives what the schema gives. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"
import * as Codec from "../../../src/actors/messages/Codec.ts"
import * as plainCodec from "../../../src/actors/messages/plainCodec.ts"

const plain = {
  int: Schema.Int,
  finite: Schema.Finite,
  between: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })),
  positive: Schema.Finite.check(Schema.isGreaterThan(0)),
  text: Schema.String,
  short: Schema.String.check(Schema.isMaxLength(3)),
  boolean: Schema.Boolean,
  literal: Schema.Literal("a"),
  literals: Schema.Literals(["a", "b", 3]),
  nullable: Schema.NullOr(Schema.Int),
  either: Schema.Union([Schema.String, Schema.Int]),
  struct: Schema.Struct({ a: Schema.Int, b: Schema.Boolean, c: Schema.optionalKey(Schema.String) }),
  nullableStruct: Schema.NullOr(Schema.Struct({ a: Schema.Int })),
  described: Schema.Struct({ a: Schema.Int.annotate({ description: "a number" }) }).annotate({ title: "described" }),
  array: Schema.Array(Schema.Int),
  few: Schema.Array(Schema.Int).check(Schema.isMaxLength(2)),
  nested: Schema.Struct({
    a: Schema.Array(Schema.Struct({ a: Schema.Finite })),
    b: Schema.Struct({ a: Schema.String })
  })
}
const other = {
  void: Schema.Void,
  undefined: Schema.Undefined,
  number: Schema.Number,
  optional: Schema.Struct({ a: Schema.optional(Schema.Int) }),
  record: Schema.Record(Schema.String, Schema.Int),
  tuple: Schema.Tuple([Schema.Int, Schema.String]),
  empty: Schema.Struct({}),
  date: Schema.Date,
  bigint: Schema.BigInt,
  own: Schema.Int.check(Schema.makeFilter((n: number) => n % 2 === 0)),
  strict: Schema.Struct({ a: Schema.Int }).annotate({ parseOptions: { onExcessProperty: "error" } }),
  twoStructs: Schema.Union([Schema.Struct({ a: Schema.Int }), Schema.Struct({ a: Schema.Int, b: Schema.Boolean })]),
  class: class Point extends Schema.Class<Point>("Point")({ a: Schema.Int }) {}
}

/** Values of all kinds, and structs and arrays of them under the names that the schemas know. */
const leaf: Schema.Codec<unknown> = Schema.Union([
  Schema.Number,
  Schema.Int,
  Schema.Literals([0, -0, 3, 9, 10, 2 ** 53, 0.5, "a", "b", "abcd", ""]),
  Schema.String,
  Schema.Boolean,
  Schema.Null,
  Schema.Undefined
])
const fields = { a: leaf, b: leaf, c: leaf, z: leaf }
const someFields = Schema.Struct({
  a: Schema.optionalKey(leaf),
  b: Schema.optionalKey(leaf),
  c: Schema.optionalKey(leaf),
  z: Schema.optionalKey(leaf)
})
const likely = Schema.Struct({
  a: Schema.Int,
  b: Schema.Boolean,
  c: Schema.optionalKey(Schema.String),
  z: Schema.optionalKey(leaf)
})
const Values: Schema.Codec<unknown> = Schema.Union([
  leaf,
  likely,
  someFields,
  Schema.Struct({ ...fields, a: Schema.Array(Schema.Union([someFields, likely])), b: someFields }),
  Schema.Array(leaf),
  Schema.Array(Schema.Int)
])

const settle = <A, E>(effect: Effect.Effect<A, E>) => Effect.runSyncExit(effect)

const agree = (name: string, own: Codec.Coded, schema: Exit.Exit<unknown, Schema.SchemaError>) => {
  assert.strictEqual(own._tag, schema._tag, name)
  if (Exit.isSuccess(own) && Exit.isSuccess(schema)) assert.deepStrictEqual(own.value, schema.value, name)
  if (Exit.isFailure(own) && Exit.isFailure(schema)) assert.strictEqual(Codec.reason(own), Codec.reason(schema), name)
}

describe("Codec", () => {
  for (const [name, schema] of Object.entries({ ...plain, ...other })) {
    const codec = Codec.make(schema)
    const json = Schema.toCodecJson<Codec.Plain>(schema)
    const compare = (value: unknown) => {
      const encoded = settle(Schema.encodeUnknownEffect(json)(value))
      agree(`encode ${name}`, codec.encode(value), encoded)
      assert.strictEqual(codec.misfit(value), Exit.isFailure(encoded) ? Codec.reason(encoded) : undefined, name)
      agree(`decode ${name}`, codec.decode(value), settle(Schema.decodeUnknownEffect(json)(value)))
    }
    it.prop(`${name}: the quick way and the schema agree`, [Values], ([value]) => compare(value))
    it.prop(`${name}: on values of its own`, [Schema.toType(schema)], ([value]) => {
      compare(value)
      const encoded = codec.encode(value)
      if (Exit.isSuccess(encoded)) compare(encoded.value)
    })
  }

  it("there is a quick way for these, and for no others", () => {
    const quick = (schema: Codec.Plain) => plainCodec.compile(Schema.toCodecJson(schema).ast) !== undefined
    for (const [name, schema] of Object.entries(plain)) assert.isTrue(quick(schema), name)
    for (const [name, schema] of Object.entries(other)) assert.isFalse(quick(schema), name)
  })

  it("odd objects: inherited fields, getters, a getter that throws, classes, excess fields", () => {
    const codec = Codec.make(plain.struct)
    const json = Schema.toCodecJson(plain.struct)
    const objects: ReadonlyArray<unknown> = [
      Object.create({ a: 1, b: true }),
      {
        get a() {
          return 1
        },
        b: false
      },
      new (class {
        readonly a = 1
        readonly b = true
      })(),
      { a: 1, b: true, excess: () => 1 },
      { a: 1, b: true, c: undefined },
      Object.assign(Object.create(null), { a: 1, b: true }),
      [1, true],
      () => 1
    ]
    for (const value of objects) {
      const encoded = settle(Schema.encodeUnknownEffect(json)(value))
      agree("encode", codec.encode(value), encoded)
      assert.strictEqual(codec.misfit(value), Exit.isFailure(encoded) ? Codec.reason(encoded) : undefined)
    }
    const throwing = {
      get a(): number {
        throw new RangeError("no a")
      },
      b: true
    }
    assert.isTrue(Exit.isFailure(codec.encode(throwing)))
    assert.isString(codec.misfit(throwing))
  })
})
