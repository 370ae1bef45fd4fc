/** The flat order of parameters, and the way to PyTorch's names and back. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { weightIndex } from "../../../src/model/policy/Layer.ts"
import { type NamedParameters, ParameterLayout } from "../../../src/model/policy/ParameterLayout.ts"
import { type CategoricalMlp, categoricalMlp, PolicySpecOfNetwork } from "../../../src/model/policy/PolicySpec.ts"
import { flatten, layoutOf, learnerFile } from "../learnerFile.ts"

const small = (spec: Partial<CategoricalMlp> = {}) =>
  new ParameterLayout(
    categoricalMlp({ towers: "separate", inputs: 3, actions: 2, hidden: [4], activation: "tanh", ...spec })
  )

const Width = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 }))
const SmallNetwork = Schema.Struct({
  towers: Schema.Literals(["separate", "shared"]),
  inputs: Width,
  actions: Width,
  hidden: Schema.Array(Width).check(Schema.isMaxLength(4)),
  activation: Schema.Literals(["tanh", "relu"])
})

describe("ParameterLayout", () => {
  it("separate: actor, then critic; hidden weights [in][out], heads [out][in], no padding", () => {
    const layout = small()
    assert.deepStrictEqual(
      layout.layers.map(({ bias, inputs, name, outputs, role, weight }) => [name, role, inputs, outputs, weight, bias]),
      [
        ["actor.0", "hidden", 3, 4, 0, 12],
        ["actor.2", "actor-head", 4, 2, 16, 24],
        ["critic.0", "hidden", 3, 4, 26, 38],
        ["critic.2", "critic-head", 4, 1, 42, 46]
      ]
    )
    assert.strictEqual(layout.size, 47)
    const [hidden, head] = layout.layers
    // One step in the input of a hidden weight passes all outputs; in a head's it is the next number.
    assert.strictEqual(weightIndex(hidden!, 1, 2) - hidden!.weight, 2 * 4 + 1)
    assert.strictEqual(weightIndex(head!, 1, 2) - head!.weight, 1 * 4 + 2)
  })

  it("shared: trunk, actor head, critic head", () => {
    const layout = small({ towers: "shared" })
    assert.deepStrictEqual(layout.layers.map(({ name, weight }) => [name, weight]), [
      ["trunk", 0],
      ["actor_head", 16],
      ["critic_head", 26]
    ])
    assert.strictEqual(layout.size, 31)
  })

  it("deeper, and without hidden layers", () => {
    const names = (spec: Partial<CategoricalMlp>) => small(spec).layers.map((layer) => layer.name)
    const separate = ["actor.0", "actor.2", "actor.4", "critic.0", "critic.2", "critic.4"]
    assert.deepStrictEqual(names({ hidden: [5, 4] }), separate)
    assert.deepStrictEqual(names({ towers: "shared", hidden: [5, 4] }), [
      "trunk.0",
      "trunk.2",
      "actor_head",
      "critic_head"
    ])
    assert.deepStrictEqual(names({ hidden: [] }), ["actor.0", "critic.0"])
    assert.deepStrictEqual(names({ towers: "shared", hidden: [] }), ["actor_head", "critic_head"])
    assert.strictEqual(small({ hidden: [] }).size, 3 * 2 + 2 + 3 + 1)
    for (const towers of ["separate", "shared"] as const) {
      const { actor, trunk } = small({ towers, hidden: [5, 4] })
      const widths = [...trunk, ...actor].map((layer) => [layer.inputs, layer.outputs])
      assert.deepStrictEqual(widths, [[3, 5], [5, 4], [4, 2]])
    }
  })

  it.prop("every number has a place of its own", [SmallNetwork], ([spec]) => {
    const layout = new ParameterLayout(categoricalMlp(spec))
    const seen = new Uint8Array(layout.size)
    for (const layer of layout.layers) {
      for (let o = 0; o < layer.outputs; o++) {
        for (let i = 0; i < layer.inputs; i++) seen[weightIndex(layer, o, i)]! += 1
        seen[layer.bias + o]! += 1
      }
    }
    assert.isTrue(seen.every((times) => times === 1))
  })

  it.prop("to names and back is the same array", [SmallNetwork], ([spec]) => {
    const layout = new ParameterLayout(categoricalMlp(spec))
    const flat = Float32Array.from({ length: layout.size }, (_, k) => k + 0.5)
    const back = layout.fromNamed(layout.toNamed(flat), new Float32Array(layout.size))
    assert.deepStrictEqual(Result.getOrThrow(back), flat)
  })

  it.skipIf(learnerFile === undefined)("names and shapes are PyTorch's", () => {
    for (const learnerCase of learnerFile!.cases) {
      const layout = layoutOf(learnerCase)
      assert.deepStrictEqual(layout.toNamed(flatten(layout, learnerCase.initial)), learnerCase.initial)
    }
  })

  it("refuses what does not fit, and says which tensor", () => {
    const layout = small()
    const flat = new Float64Array(layout.size).fill(7)
    const named = layout.toNamed(flat)
    const refusal = (changed: NamedParameters) => {
      const result = layout.fromNamed(changed, flat)
      assert.isTrue(Result.isFailure(result))
      return Result.isFailure(result) ? [result.failure._tag, result.failure.message] : []
    }
    const without = Object.fromEntries(Object.entries(named).filter(([name]) => name !== "critic.2.bias"))
    assert.deepStrictEqual(refusal(without), ["ParameterMismatch", "critic.2.bias: missing"])
    assert.deepStrictEqual(refusal({ ...named, "actor.0.weight": [[1, 2, 3]] }), [
      "ParameterMismatch",
      "actor.0.weight: expected the shape [4, 3]"
    ])
    assert.match(refusal({ ...named, "actor.0.bias": [[1], [2], [3], [4]] })[1]!, /expected the shape \[4\]/)
    assert.match(refusal({ ...named, "actor.0.weight": [1, 2, 3, 4] })[1]!, /expected the shape \[4, 3\]/)
    assert.match(refusal({ ...named, "actor.1.weight": [1] })[1]!, /^actor.1.weight: this network has no such tensor/)
    assert.isTrue(flat.every((value) => value === 7), "left as it was")
  })

  it("a description of a policy refuses widths that are not whole and positive", () => {
    const decode = Schema.decodeUnknownResult(PolicySpecOfNetwork)
    const spec = { kind: "shared", inputs: 4, actions: 2, hidden: [64], activation: "tanh" }
    assert.isTrue(Result.isSuccess(decode(spec)))
    for (
      const wrong of [{ inputs: 0 }, { actions: 1.5 }, { hidden: [64, 0] }, { kind: "both" }, { activation: "gelu" }]
    ) {
      assert.isTrue(Result.isFailure(decode({ ...spec, ...wrong })), JSON.stringify(wrong))
    }
  })
})
