/**
 * Policies in the formats of others: what those others read out of them is what the network here computes. TensorFlow.js
 * reads its own format in these tests, ONNX is read by a small reader of the wire format, and where
 * `test/devices/setup.ts python` was run, Python's packages judge ONNX and safetensors. The digests at the end are of
 * files they have judged.
 */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import { loadLayersModel } from "@tensorflow/tfjs-layers"
import { Effect, FileSystem, Result, Schema } from "effect"
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { initialParameters } from "../../src/model/initialize.ts"
import * as layersModel from "../../src/model/layersModel.ts"
import { fromTensors, toTensors } from "../../src/model/namedTensors.ts"
import * as onnx from "../../src/model/onnx.ts"
import { ParameterLayout } from "../../src/model/policy/ParameterLayout.ts"
import { type CategoricalMlp, categoricalMlp, type PolicySpec } from "../../src/model/policy/PolicySpec.ts"
import { forward } from "../../src/model/reference/network.ts"
import * as safetensors from "../../src/model/safetensors.ts"
import { Pcg64 } from "../../src/random/Pcg64.ts"
import { approximately } from "./approximately.ts"

const networks: ReadonlyArray<CategoricalMlp> = [
  { towers: "separate", inputs: 4, actions: 2, hidden: [16], activation: "relu" },
  { towers: "separate", inputs: 3, actions: 5, hidden: [7, 6, 5], activation: "tanh" },
  { towers: "shared", inputs: 4, actions: 3, hidden: [9, 4], activation: "tanh" },
  { towers: "shared", inputs: 2, actions: 2, hidden: [8], activation: "relu" },
  { towers: "shared", inputs: 2, actions: 4, hidden: [], activation: "tanh" }
]

const parametersOf = (network: CategoricalMlp) =>
  initialParameters(categoricalMlp(network), "pytorch", Pcg64.fromSeed(11))

/** Some observations, and what the network makes of them. */
const expected = (network: CategoricalMlp, rows: number) => {
  const random = Pcg64.fromSeed(12)
  const observations = Float32Array.from({ length: rows * network.inputs }, () => random.standardNormal())
  const { outputs: logits, values } = forward(
    new ParameterLayout(categoricalMlp(network)),
    parametersOf(network),
    observations
  )
  return { observations, logits, values }
}

const nameOf = ({ activation, hidden, towers }: CategoricalMlp) =>
  `${towers} ${hidden.join("-") || "linear"} ${activation}`

describe("tensors by name", () => {
  const Depth = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))
  it.effect.prop(
    "come back as they were, through a safetensors file",
    [Schema.Literals(["separate", "shared"]), Depth],
    ([towers, depth]) =>
      Effect.gen(function*() {
        const hidden = Array.from({ length: depth }, (_, k) => k + 2)
        const network: CategoricalMlp = { towers, inputs: 3, actions: 2, hidden, activation: "tanh" }
        const layout = new ParameterLayout(categoricalMlp(network))
        const flat = parametersOf(network)
        const { tensors } = yield* safetensors.decode(
          safetensors.encode({ metadata: {}, tensors: toTensors(layout, flat) })
        )
        assert.deepStrictEqual(Result.getOrThrow(fromTensors(layout, tensors)), flat)
        // The same as in ParameterLayout.ts, which numbers in arrays take.
        assert.deepStrictEqual(
          Result.getOrThrow(layout.fromNamed(layout.toNamed(flat), new Float32Array(layout.size))),
          flat
        )
      })
  )

  it("are refused where one is missing, unknown, or of another shape", () => {
    const layout = new ParameterLayout(categoricalMlp(networks[0]!))
    const tensors = toTensors(layout, parametersOf(networks[0]!))
    const why = (changed: Readonly<Record<string, safetensors.Tensor>>) =>
      Result.match(fromTensors(layout, changed), { onFailure: (e) => e.message, onSuccess: () => "" })
    const fewer = Object.fromEntries(Object.entries(tensors).filter(([name]) => name !== "critic.2.bias"))
    assert.strictEqual(why(fewer), "critic.2.bias: missing")
    const wide = { ...tensors, "actor.0.weight": { shape: [4, 16], data: new Float32Array(64) } }
    assert.strictEqual(why(wide), "actor.0.weight: expected the shape [16, 4], not [4, 16]")
    assert.match(why({ ...tensors, more: tensors["actor.0.bias"]! }), /^more: this network has no such tensor; it has /)
  })
})

describe("a LayersModel", () => {
  it.live.each(networks.map((network) => [nameOf(network), network] as const))(
    "is read by TensorFlow.js: %s",
    ([, network]) =>
      Effect.promise(async () => {
        tf.enableProdMode()
        await import("@tensorflow/tfjs-backend-cpu")
        await tf.setBackend("cpu")
        const { json, weights } = layersModel.encode(categoricalMlp(network), parametersOf(network), {
          env_id: "Test-v0"
        })
        const { modelTopology, weightsManifest } = JSON.parse(json)
        assert.deepStrictEqual(weightsManifest[0].paths, [layersModel.weightsFile])
        const model = await loadLayersModel({
          load: async () => ({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData: weights.buffer })
        })
        const { logits, observations, values } = expected(network, 6)
        const outputs = model.predict(tf.tensor2d(observations, [6, network.inputs]))
        assert(Array.isArray(outputs))
        approximately(await outputs[0]!.data(), logits, 1e-5, "logits")
        approximately(await outputs[1]!.data(), values, 1e-5, "value")
        assert.deepStrictEqual(model.outputNames, ["logits", "value"])
        model.dispose()
      })
  )
})

/** The fields of a message by their numbers: whole numbers, or the bytes of what has a length. */
const read = (bytes: Uint8Array): Map<number, Array<number | Uint8Array>> => {
  const fields = new Map<number, Array<number | Uint8Array>>()
  let at = 0
  const varint = () => {
    let value = 0
    for (let factor = 1;; factor *= 128) {
      const byte = bytes[at++]!
      value += (byte % 128) * factor
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const key = varint()
    const field = Math.floor(key / 8)
    const values = fields.get(field) ?? []
    fields.set(field, values)
    if (key % 8 === 0) values.push(varint())
    else {
      assert.strictEqual(key % 8, 2)
      const length = varint()
      values.push(bytes.subarray(at, at += length))
    }
  }
  return fields
}

const messages = (fields: ReturnType<typeof read>, field: number) =>
  (fields.get(field) ?? []).map((value) => {
    assert(value instanceof Uint8Array)
    return value
  })
const texts = (fields: ReturnType<typeof read>, field: number) =>
  messages(fields, field).map((value) => new TextDecoder().decode(value))

/** Runs the graph of an ONNX model on one row; `given` are its inputs in their order. */
const runOnnx = (
  file: Uint8Array,
  ...given: ReadonlyArray<ArrayLike<number>>
): ReadonlyMap<string, ReadonlyArray<number>> => {
  const graph = read(messages(read(file), 7)[0]!)
  const tensors = new Map(
    messages(graph, 5).map((bytes) => {
      const tensor = read(bytes)
      const raw = messages(tensor, 9)[0]!
      const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
      const data = Array.from({ length: raw.length / 4 }, (_, i) => view.getFloat32(i * 4, true))
      const shape = tensor.get(1) ?? []
      assert.strictEqual(shape.reduce<number>((product, n) => product * Number(n), 1), data.length)
      return [texts(tensor, 8)[0]!, { shape, data }]
    })
  )
  const values = new Map<string, ReadonlyArray<number>>(
    given.map((input, k) => [texts(read(messages(graph, 11)[k]!), 1)[0]!, Array.from(input)])
  )
  for (const bytes of messages(graph, 1)) {
    const node = read(bytes)
    const [x, second, third] = texts(node, 1)
    const input = values.get(x!)!
    const numbers = (name: string | undefined) => values.get(name!) ?? tensors.get(name!)!.data
    const names = texts(node, 2)
    const part = input.length / names.length
    const operators: Readonly<Record<string, () => ReadonlyArray<number>>> = {
      Tanh: () => input.map(Math.tanh),
      Relu: () => input.map((value) => Math.max(0, value)),
      Sigmoid: () => input.map((value) => 1 / (1 + Math.exp(-value))),
      Add: () => input.map((value, i) => value + numbers(second)[i]!),
      Sub: () => input.map((value, i) => value - numbers(second)[i]!),
      Mul: () => input.map((value, i) => value * numbers(second)[i]!),
      Clip: () => input.map((value) => Math.min(numbers(third)[0]!, Math.max(numbers(second)[0]!, value))),
      Gemm: () =>
        numbers(third).map((sum, o) =>
          input.reduce((total, value, i) => total + value * numbers(second)[o * input.length + i]!, sum)
        ),
      Split: () => input
    }
    const output = operators[texts(node, 4)[0]!]!()
    names.forEach((name, k) => values.set(name, names.length === 1 ? output : output.slice(k * part, (k + 1) * part)))
  }
  return values
}

describe("an ONNX model", () => {
  it.each(networks.map((network) => [nameOf(network), network] as const))("computes the network: %s", (_, network) => {
    const { logits, observations, values } = expected(network, 1)
    const file = onnx.encode(categoricalMlp(network), parametersOf(network), { env_id: "Test-v0" })
    const outputs = runOnnx(file, observations)
    approximately(outputs.get("logits")!, logits, 1e-6, "logits")
    approximately(outputs.get("value")!, values, 1e-6, "value")
    const about = read(messages(read(file), 14)[0]!)
    assert.deepStrictEqual([...texts(about, 1), ...texts(about, 2)], ["env_id", "Test-v0"])
  })

  it("names what the head gives by its distribution, and leaves out what no layer has", () => {
    const distributions = [
      [{ kind: "multi-categorical", nvec: [3, 2] }, "logits"],
      [{ kind: "bernoulli", n: 4 }, "logits"],
      [{ kind: "diagonal-gaussian", dims: 2 }, "mean"]
    ] as const
    for (const [distribution, head] of distributions) {
      const policy: PolicySpec = {
        encoder: { kind: "mlp", towers: "separate", inputs: 3, hidden: [4], activation: "tanh" },
        distribution
      }
      const layout = new ParameterLayout(policy)
      const parameters = initialParameters(policy, "pytorch", Pcg64.fromSeed(2))
      const observation = Float32Array.of(0.5, -1, 2)
      const outputs = runOnnx(onnx.encode(policy, parameters), observation)
      const expected = forward(layout, parameters, observation)
      approximately(outputs.get(head)!, expected.outputs, 1e-6, head)
      approximately(outputs.get("value")!, expected.values, 1e-6, "value")
      const { modelTopology: { config: { output_layers } } } = JSON.parse(layersModel.encode(policy, parameters).json)
      assert.deepStrictEqual(output_layers, [[head, 0, 0], ["value", 0, 0]])
      // Files of tensors have them.
      parameters.fill(-0.5, layout.free.at)
      const tensors = toTensors(layout, parameters)
      assert.deepStrictEqual(
        tensors["log_std"]?.data,
        layout.free.length === 0 ? undefined : Float32Array.of(-0.5, -0.5)
      )
      assert.deepStrictEqual(Result.getOrThrow(fromTensors(layout, tensors)), parameters)
      assert.deepStrictEqual(
        Result.getOrThrow(layout.fromNamed(layout.toNamed(parameters), new Float32Array(layout.size))),
        parameters
      )
    }
  })

  it("counts as the wire format does, beyond one byte", () => {
    // 300 is 0xAC 0x02 in the format's own documentation.
    const file = onnx.encode(
      categoricalMlp({ ...networks[0]!, inputs: 300, hidden: [] }),
      new Float32Array(2 * 300 + 2 + 300 + 1)
    )
    const input = read(messages(read(messages(read(file), 7)[0]!), 11)[0]!)
    assert.include(Buffer.from(messages(input, 2)[0]!).toString("hex"), "08ac02")
  })
})

describe("a policy that remembers", () => {
  const spec: PolicySpec = {
    encoder: { kind: "gru", inputs: 3, hidden: [4, 5], activation: "tanh" },
    distribution: { kind: "categorical", n: 2 }
  }
  const layout = new ParameterLayout(spec)
  const weights = initialParameters(spec, "pytorch", Pcg64.fromSeed(4))

  it("has its state as an input and an output of the graph of ONNX", () => {
    const file = onnx.encode(spec, weights)
    let state: ReadonlyArray<number> = [0, 0, 0, 0, 0]
    for (const observation of [[1, -0.5, 0.25], [0, 2, -1]]) {
      const outputs = runOnnx(file, observation, state)
      const wanted = forward(layout, weights, Float64Array.from(observation), {
        state: Float64Array.from(state),
        starts: []
      })
      approximately(outputs.get("logits")!, wanted.outputs, 1e-6, "logits")
      approximately(outputs.get("value")!, wanted.values, 1e-6, "value")
      state = outputs.get("next_state")!
      approximately(state, wanted.cell!.after, 1e-6, "state")
    }
  })

  it("has PyTorch's names, and no LayersModel", () => {
    const tensors = toTensors(layout, weights)
    assert.deepStrictEqual(tensors["gru.weight_ih"]?.shape, [15, 4])
    assert.deepStrictEqual(tensors["gru.weight_hh"]?.shape, [15, 5])
    assert.deepStrictEqual(tensors["gru.bias_hh"]?.shape, [15])
    assert.deepStrictEqual(Result.getOrThrow(fromTensors(layout, tensors)), weights)
    assert.match(layersModel.obstacle(spec)!, /a LayersModel has no place for what a policy remembers/)
  })
})

describe("a policy that normalizes", () => {
  const spec: PolicySpec = {
    ...categoricalMlp({ towers: "separate", inputs: 3, actions: 2, hidden: [5], activation: "tanh" }),
    normalization: { observations: true, rewards: true }
  }
  const layout = new ParameterLayout(spec)
  const weights = new Float32Array(layout.weights)
  weights.set(initialParameters(spec, "pytorch", Pcg64.fromSeed(3)))
  // obs_rms: means, variances, count; ret_rms: mean, variance, count.
  weights.set([1, -20, 0.5, 4, 100, 1e-6, 1000, 3, 9, 1000], layout.size)
  const observation = Float32Array.of(2, -50, 0.75)
  // The last is far out: clipped.
  const seen = [(2 - 1) / 2, (-50 + 20) / 10, 10]
  const wanted = forward(layout, weights, Float64Array.from(seen))

  it("does it in the graph of ONNX", () => {
    const outputs = runOnnx(onnx.encode(spec, weights), observation)
    approximately(outputs.get("logits")!, wanted.outputs, 1e-5, "logits")
    approximately(outputs.get("value")!, wanted.values, 1e-5, "value")
  })

  it.live("does it in the LayersModel", () =>
    Effect.promise(async () => {
      await import("@tensorflow/tfjs-backend-cpu")
      await tf.setBackend("cpu")
      const { json, weights: bytes } = layersModel.encode(spec, weights)
      const { modelTopology, weightsManifest } = JSON.parse(json)
      const model = await loadLayersModel({
        load: async () => ({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData: bytes.buffer })
      })
      const outputs = model.predict(tf.tensor2d(observation, [1, 3]))
      assert(Array.isArray(outputs))
      approximately(await outputs[0]!.data(), wanted.outputs, 1e-5, "logits")
      approximately(await outputs[1]!.data(), wanted.values, 1e-5, "value")
      model.dispose()
    }))

  it("keeps its statistics beside its tensors, and takes none that cannot be", () => {
    const tensors = toTensors(layout, weights)
    assert.deepStrictEqual(
      Object.keys(tensors).slice(-6),
      ["obs_rms.mean", "obs_rms.var", "obs_rms.count", "ret_rms.mean", "ret_rms.var", "ret_rms.count"]
    )
    assert.deepStrictEqual(Result.getOrThrow(fromTensors(layout, tensors)), weights)
    const negative = { ...tensors, "obs_rms.var": { shape: [3], data: Float32Array.of(1, -1, 1) } }
    assert.match(String(fromTensors(layout, negative)), /obs_rms.var/)
  })
})

const python = fileURLToPath(new URL("../../.devices/python/bin/python", import.meta.url))
const judge = fileURLToPath(new URL("judge-exports.py", import.meta.url))

/** The files that Python judges, and that the digests are of. */
const filesOf = (network: CategoricalMlp) => ({
  "policy.onnx": onnx.encode(categoricalMlp(network), parametersOf(network), { env_id: "Test-v0" }),
  "policy.safetensors": safetensors.encode({
    metadata: { env_id: "Test-v0" },
    tensors: toTensors(new ParameterLayout(categoricalMlp(network)), parametersOf(network))
  })
})

describe("Python", () => {
  it.live.skipIf(!existsSync(python))(
    "reads what was exported, and writes what is imported",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        for (const [index, network] of networks.entries()) {
          yield* fs.makeDirectory(`${folder}/${index}`)
          for (const [name, bytes] of Object.entries(filesOf(network))) {
            yield* fs.writeFile(`${folder}/${index}/${name}`, bytes)
          }
          const { logits, observations, values } = expected(network, 5)
          const lists = { observations: [...observations], logits: [...logits], values: [...values] }
          yield* fs.writeFileString(
            `${folder}/${index}/expected.json`,
            JSON.stringify({
              ...lists,
              named: new ParameterLayout(categoricalMlp(network)).toNamed(parametersOf(network))
            })
          )
        }
        const { status, stderr, stdout } = spawnSync(python, [judge, folder], { encoding: "utf8", timeout: 60_000 })
        assert.strictEqual(status, 0, `${stdout}${stderr}`)
        for (const [index, network] of networks.entries()) {
          const { tensors } = yield* safetensors.decode(yield* fs.readFile(`${folder}/${index}/python.safetensors`))
          assert.deepStrictEqual(
            Result.getOrThrow(fromTensors(new ParameterLayout(categoricalMlp(network)), tensors)),
            parametersOf(network)
          )
        }
      })).pipe(Effect.provide(NodeServices.layer)),
    70_000
  )
})

describe("the files that were judged", () => {
  const digests: Readonly<Record<string, string>> = {
    "separate 16 relu policy.onnx": "a5a3a8d85cd22a8e",
    "separate 16 relu policy.safetensors": "564340c0e2b6d103",
    "separate 7-6-5 tanh policy.onnx": "52b5113c08be0453",
    "separate 7-6-5 tanh policy.safetensors": "fe99778b567a42dc",
    "shared 8 relu policy.onnx": "79fb98fda311452f",
    "shared 8 relu policy.safetensors": "55db55d3ff9abf5e",
    "shared 9-4 tanh policy.onnx": "8362736ecb77d5bd",
    "shared 9-4 tanh policy.safetensors": "b557b16580cbf0da",
    "shared linear tanh policy.onnx": "bc6ab000a9f47b08",
    "shared linear tanh policy.safetensors": "6d24fcfd2d6b656d"
  }
  it("are still made the same", () => {
    const made = Object.fromEntries(
      networks.flatMap((network) =>
        Object.entries(filesOf(network)).map(([name, bytes]) => [
          `${nameOf(network)} ${name}`,
          createHash("sha256").update(bytes).digest("hex").slice(0, 16)
        ])
      )
    )
    assert.deepStrictEqual(made, digests)
  })
})
