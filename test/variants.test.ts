/**
 * One more member of a kind is a compile error wherever members matter, and nowhere does it silently run something else.
 * A copy of the sources in which each kind has one more is type-checked, and errors are looked for where they belong.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

/** One more member of a kind: what is put in place of what, and the lines that must then be errors. */
interface Variant {
  readonly kind: string
  readonly file: string
  readonly from: string
  readonly to: string
  /** Files, each with words that stand on the line of an error. */
  readonly errors: Readonly<Record<string, ReadonlyArray<string>>>
}

const variants: ReadonlyArray<Variant> = [
  {
    kind: "activation",
    file: "model/policy/activations.ts",
    from: `Schema.Literals(["tanh", "relu"])`,
    to: `Schema.Literals(["tanh", "relu", "gelu"])`,
    errors: {
      "model/policy/activations.ts": ["satisfies"],
      "model/kernels/Kernels.ts": ["activation: {"],
      "model/devices/tensorNetwork.ts": ["TensorActivation }"],
      "model/onnx.ts": ["const operators"],
      "model/layersModel.ts": ["const activationNames"]
    }
  },
  {
    kind: "encoder",
    file: "model/policy/Encoder.ts",
    from: "Schema.Union([MlpSpec, GruSpec])",
    to:
      `Schema.Union([MlpSpec, GruSpec, Schema.Struct({ kind: Schema.Literal("convolution"), inputs: Width, filters: Width })])`,
    errors: {
      "model/policy/Encoder.ts": ["encoderOf"],
      "model/kernels/Kernels.ts": ["encoder: {", "towersOf"],
      "model/reference/network.ts": ["computed"],
      "model/devices/tensorNetwork.ts": ["mlpOf"],
      "model/onnx.ts": ["written"],
      "model/layersModel.ts": ["mlpOf"]
    }
  },
  {
    kind: "network of a run",
    file: "runtime/config/RunConfig.ts",
    from: `["separate", "shared", "gru"],`,
    to: `["separate", "shared", "gru", "convolution"],`,
    errors: { "runtime/workers/DataPlane.ts": ["encoderOfRun"] }
  },
  {
    kind: "role of a layer",
    file: "model/policy/Layer.ts",
    from: `"hidden" | "memory" | "actor-head"`,
    to: `"hidden" | "memory" | "filter" | "actor-head"`,
    errors: { "model/initialize.ts": ["const gains"] }
  },
  {
    kind: "distribution",
    file: "model/policy/DistributionSpec.ts",
    from: "  DiagonalGaussianSpec\n])",
    to: `  DiagonalGaussianSpec,\n  Schema.Struct({ kind: Schema.Literal("beta"), dims: Width })\n])`,
    errors: {
      "model/policy/DistributionSpec.ts": ["distributionOf"],
      "model/kernels/Kernels.ts": ["distribution: {", "partsOf"],
      "model/devices/tensorDistributions.ts": ["TensorDistribution =>"],
      "model/onnx.ts": ["satisfies"],
      "model/layersModel.ts": ["satisfies"]
    }
  },
  {
    kind: "loss",
    file: "model/losses/LossSettings.ts",
    from: "Schema.Union([A2cSettings, PpoSettings])",
    to:
      `Schema.Union([A2cSettings, PpoSettings, Schema.Struct({ name: Schema.Literal("awr"), valueCoefficient: Schema.Finite, entropyCoefficient: Schema.Finite })])`,
    errors: {
      "model/losses/LossSettings.ts": ["rowLossOf", "satisfies"],
      "model/kernels/jobs.ts": ["lossIds", "coefficientsOf"],
      "model/devices/tensorLosses.ts": ["TensorLoss =>"]
    }
  },
  {
    kind: "loss along a fragment",
    file: "model/losses/LossSettings.ts",
    from: "Schema.Union([TdSettings])",
    to:
      `Schema.Union([TdSettings, Schema.Struct({ name: Schema.Literal("sarsa"), valueCoefficient: Schema.Finite, entropyCoefficient: Schema.Finite })])`,
    errors: {
      "model/losses/LossSettings.ts": ["fragmentLossOf"]
    }
  },
  {
    kind: "optimizer",
    file: "model/optimizers.ts",
    from: "Schema.Union([AdamSpec, RmsPropSpec])",
    to: `Schema.Union([AdamSpec, RmsPropSpec, Schema.Struct({ kind: Schema.Literal("sgd"), epsilon: Positive })])`,
    errors: {
      "model/optimizers.ts": ["optimizerOf"],
      "model/CpuDevice.ts": ["satisfies never"],
      "model/devices/tensorOptimizers.ts": ["Remembering =>"]
    }
  },
  {
    kind: "initialization",
    file: "model/initialize.ts",
    from: `export type Initialization = "orthogonal" | "pytorch"`,
    to: `export type Initialization = "orthogonal" | "pytorch" | "zero"`,
    errors: { "model/initialize.ts": ["satisfies"] }
  },
  {
    kind: "column of a batch",
    file: "model/Device.ts",
    from: "  /** uint8 [rows][masks of the distribution]",
    to: "  readonly states: Float32Array\n  /** uint8 [rows][masks of the distribution]",
    errors: {
      "model/selectedRows.ts": ["columnWidths", "const taken: Segment", "return {"],
      "model/CpuDevice.ts": ["staging[index] ??="]
    }
  },
  {
    kind: "export format",
    file: "runtime/commands/export.ts",
    from: `const formats = ["safetensors", "tfjs", "onnx"] as const`,
    to: `const formats = ["safetensors", "tfjs", "onnx", "gguf"] as const`,
    errors: { "runtime/commands/export.ts": ["defaultOut", "filesOf"] }
  },
  {
    kind: "algorithm",
    file: "runtime/config/algorithmNames.ts",
    from: `["a2c", "a3c", "impala", "ppo"]`,
    to: `["a2c", "a3c", "impala", "ppo", "dqn"]`,
    errors: {
      "runtime/config/algorithmSettings.ts": ["satisfies"],
      "runtime/config/configSources.ts": ["presets[base]", "presets[algo]"],
      "runtime/algorithms/index.ts": ["algorithms:"]
    }
  },
  {
    kind: "preset",
    file: "runtime/config/RunConfig.ts",
    from: `["a2c", "a3c", "impala", "ppo", "recurrent-ppo", "notebook-ray", "notebook-a3c"]`,
    to: `["a2c", "a3c", "impala", "ppo", "recurrent-ppo", "notebook-ray", "notebook-a3c", "cleanrl"]`,
    errors: { "runtime/config/presets.ts": ["presets:"] }
  },
  {
    kind: "setting",
    file: "runtime/config/RunConfig.ts",
    from: `  runFolder: yes("write a run folder"),`,
    to: `  runFolder: yes("write a run folder"),\n  color: yes("in color"),`,
    errors: {
      "runtime/config/presets.ts": ["const a2c:"],
      "runtime/commands/helpPage.ts": ["groupOfOption"]
    }
  },
  {
    kind: "stopping rule",
    file: "runtime/config/RunConfig.ts",
    from: `["solved", "notebook-ray", "notebook-a3c"],`,
    to: `["solved", "notebook-ray", "notebook-a3c", "plateau"],`,
    errors: { "runtime/stopping/stoppingRules.ts": ["const rules:"] }
  },
  {
    kind: "returns",
    file: "runtime/config/RunConfig.ts",
    from: `["gae", "n-step", "monte-carlo"],`,
    to: `["gae", "n-step", "monte-carlo", "lambda"],`,
    errors: { "runtime/workers/targets.ts": ["satisfies never"] }
  },
  {
    kind: "schedule",
    file: "runtime/config/RunConfig.ts",
    from: `["sync", "async", "seeded"],`,
    to: `["sync", "async", "seeded", "lockstep"],`,
    errors: { "runtime/config/configSources.ts": ["[schedule]"] }
  },
  {
    kind: "placement of a run",
    file: "runtime/config/RunConfig.ts",
    from: `["auto", "fiber", "thread", "process", "runner"],`,
    to: `["auto", "fiber", "thread", "process", "runner", "cluster"],`,
    errors: { "runtime/Run.ts": ["placement"], "runtime/config/placements.ts": ["placements:"] }
  },
  {
    kind: "placement of a simulation's hosts",
    file: "simulation/hosts/placements.ts",
    from: "runner: {",
    to: "browser: { sharesMemory: false, isThisThread: false, hasModule: false, mostDeaths: 3 }, runner: {",
    errors: { "simulation/hosts/run.ts": ["satisfies Record<HostsPlacement"] }
  },
  {
    kind: "placement of actors",
    file: "actors/Placement.ts",
    from: `["fiber", "thread", "process", "runner"]`,
    to: `["fiber", "thread", "process", "runner", "cluster"]`,
    errors: { "actors/Fault.ts": ["possible", "quick"], "actors/ActorSystem.ts": ["satisfies", "new System("] }
  },
  {
    kind: "supervision directive",
    file: "actors/Supervision.ts",
    from: `"restart" | "resume" | "stop" | "escalate"`,
    to: `"restart" | "resume" | "stop" | "escalate" | "quarantine"`,
    errors: { "actors/owner/Siblings.ts": ["satisfies never"] }
  }
]

/** The lines of errors by file, in a copy of the sources with all of the variants in it. */
const errorsOf = (copy: string): ReadonlyMap<string, ReadonlyArray<string>> => {
  fs.cpSync(path.join(root, "src"), path.join(copy, "src"), { recursive: true })
  fs.symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"))
  const { compilerOptions } = JSON.parse(fs.readFileSync(path.join(root, "tsconfig.json"), "utf8"))
  fs.writeFileSync(
    path.join(copy, "tsconfig.json"),
    JSON.stringify({ compilerOptions, include: ["src"], exclude: ["src/model/kernels/assembly"] })
  )
  for (const { file, from, kind, to } of variants) {
    const whole = path.join(copy, "src", file)
    const source = fs.readFileSync(whole, "utf8")
    assert.include(source, from, `where ${kind} is told`)
    fs.writeFileSync(whole, source.replace(from, to))
  }
  const compiler = path.join(root, "node_modules/typescript/bin/tsc")
  const { stdout } = spawnSync(process.execPath, [compiler, "--noEmit", "--pretty", "false", "-p", copy], {
    cwd: copy,
    encoding: "utf8",
    timeout: 100_000,
    maxBuffer: 2 ** 26
  })
  const lines = new Map<string, Array<string>>()
  for (const [, file, line] of stdout.matchAll(/^src[/\\](.+?)\((\d+),\d+\): error TS/gm)) {
    const text = fs.readFileSync(path.join(copy, "src", file!), "utf8").split("\n")[Number(line) - 1]!
    lines.set(file!, [...lines.get(file!) ?? [], text])
  }
  return lines
}

describe("one more member of a kind is a compile error where it must be handled", () => {
  // The copy stands in the checkout, from where packages are found.
  const copy = fs.mkdtempSync(path.join(root, ".variants-"))
  let found: ReadonlyMap<string, ReadonlyArray<string>>
  try {
    found = errorsOf(copy)
  } finally {
    fs.rmSync(copy, { recursive: true, force: true })
  }

  it.each(variants.map((variant) => [variant.kind, variant] as const))("%s", (_, { errors }) => {
    for (const [file, places] of Object.entries(errors)) {
      const lines = found.get(file) ?? []
      for (const place of places) {
        assert.isTrue(
          lines.some((line) => line.includes(place)),
          `${file}: no error where it says "${place}", but in\n${lines.join("\n")}`
        )
      }
    }
  })
})
