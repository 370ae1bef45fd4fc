/** The verb `export`: writes a policy in a format that other programs read. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as layersModel from "../../model/layersModel.ts"
import * as onnx from "../../model/onnx.ts"
import { plainLine } from "../../text/plainLine.ts"
import { Policy } from "../evaluation/Policy.ts"
import { policyPath } from "../evaluation/policyPath.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"

/** A file that cannot be written. */
export class ExportError extends Schema.TaggedError<ExportError>()("ExportError", { message: Schema.String }) {}

const formats = ["safetensors", "tfjs", "onnx"] as const

/** Where each format goes when nothing is said: a file, or for tfjs a folder of two. */
const defaultOut: { readonly [Format in typeof formats[number]]: string } = {
  safetensors: "policy.safetensors",
  tfjs: "policy.tfjs",
  onnx: "policy.onnx"
}

/** The files of a policy in a format, by their paths. */
const filesOf = (policy: Policy, format: typeof formats[number], out: string): Readonly<Record<string, Uint8Array>> => {
  const { about } = policy
  switch (format) {
    case "safetensors":
      return { [out]: policy.toBytes() }
    case "onnx":
      return { [out]: onnx.encode(policy.spec, policy.weights, about) }
    case "tfjs": {
      const { json, weights } = layersModel.encode(policy.spec, policy.weights, about)
      // Who finds the model finds its weights.
      return { [`${out}/${layersModel.weightsFile}`]: weights, [`${out}/model.json`]: new TextEncoder().encode(json) }
    }
  }
}

export const exportCommand = Command.make(
  "export",
  {
    policy: Argument.String("policy").pipe(Argument.withDescription("a run's folder, or a policy.safetensors")),
    format: Flag.Literals("format", formats).pipe(
      Flag.withDescription(
        "safetensors (PyTorch's names), tfjs (a folder with a LayersModel), or onnx (default safetensors)"
      ),
      Flag.withDefault("safetensors")
    ),
    out: Flag.String("out").pipe(
      Flag.withDescription("the file, or for tfjs the folder (default policy.safetensors, policy.tfjs, policy.onnx)"),
      Flag.withMetavar("path"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function*({ format, out: given, policy: path }) {
    const policy = yield* Effect.flatMap(policyPath(path), Policy.load)
    const out = Option.getOrElse(given, () => defaultOut[format])
    const fs = yield* FileSystem.FileSystem
    const cannot = (error: PlatformError) =>
      new ExportError({ message: `${out} cannot be written: ${explain(error)}. Name another path with --out.` })
    const obstacle = format === "tfjs" ? layersModel.obstacle(policy.spec) : undefined
    if (obstacle !== undefined) {
      return yield* new ExportError({ message: `${obstacle}; --format onnx and safetensors have one.` })
    }
    if (format === "tfjs") yield* Effect.mapError(fs.makeDirectory(out, { recursive: true }), cannot)
    for (const [file, bytes] of Object.entries(filesOf(policy, format, out))) {
      yield* Effect.mapError(wholeFile.write(file, bytes), cannot)
    }
    yield* Console.log(plainLine(out))
  })
).pipe(Command.withDescription("Write a policy as safetensors, as a LayersModel of TensorFlow.js, or as ONNX"))
