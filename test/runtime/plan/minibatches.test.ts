/** Minibatches: every row is in one of an epoch's, whoever asks and in whichever order. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { SequenceOrder, shareOf, UnitOrder } from "../../../src/runtime/plan/minibatches.ts"

const Natural = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

const Case = Schema.Struct({
  seed: Natural(1000),
  unit: Natural(100),
  consumed: Natural(1_000_000_000_000),
  rows: Natural(70),
  of: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })),
  epoch: Natural(5)
})

describe("minibatches", () => {
  it.prop("of whole fragments have every unit once, in an order of the epoch", [Case], ([given]) => {
    const { of, seed } = given
    const units = given.unit + of
    const rows = Int32Array.from({ length: given.rows + 1 }, (_, k) => k)
    const taken = Array.from({ length: units }, (_, unit) => {
      const order = new SequenceOrder(seed, unit, units)
      return Array.from({ length: of }, (_, index) => order.pick(rows, { ...given, index }).length)
    })
    for (const minibatches of taken) {
      assert.deepStrictEqual(minibatches.toSorted((a, b) => b - a), [
        rows.length,
        ...Array.from({ length: of - 1 }, () => 0)
      ])
    }
    const sizes = Array.from({ length: of }, (_, index) => taken.filter((own) => own[index]! > 0).length)
    assert.isAtMost(Math.max(...sizes) - Math.min(...sizes), 1)
  })

  it.prop("the shares of a unit are its rows, each once, and as even as can be", [Case], ([given]) => {
    const { of, rows, seed, unit } = given
    const order = new UnitOrder(seed, unit).of(rows, given)
    const shares = Array.from({ length: of }, (_, index) => [...shareOf(order, { index, of })])
    assert.deepStrictEqual(shares.flat().toSorted((a, b) => a - b), Array.from({ length: rows }, (_, k) => k))
    const sizes = shares.map(({ length }) => length)
    assert.isAtMost(Math.max(...sizes) - Math.min(...sizes), 1)
  })

  it.prop("an order is the same for whoever begins in the middle, and another in each epoch", [Case], ([given]) => {
    const { consumed, epoch, rows, seed, unit } = given
    const along = new UnitOrder(seed, unit)
    const orders = Array.from({ length: epoch + 2 }, (_, e) => along.of(rows, { consumed, epoch: e }).slice())
    assert.deepStrictEqual(new UnitOrder(seed, unit).of(rows, { consumed, epoch }).slice(), orders[epoch])
    // Going back, as a worker does that died, begins anew.
    assert.deepStrictEqual(along.of(rows, { consumed, epoch: 0 }).slice(), orders[0])
    assert.deepStrictEqual(along.of(rows, { consumed, epoch }).slice(), orders[epoch])
    if (rows > 20) {
      assert.notDeepEqual(orders[epoch + 1], orders[epoch])
      assert.notDeepEqual(new UnitOrder(seed, unit + 1).of(rows, { consumed, epoch }).slice(), orders[epoch])
      assert.notDeepEqual(new UnitOrder(seed, unit).of(rows, { consumed: consumed + 1, epoch }).slice(), orders[epoch])
    }
  })
})
