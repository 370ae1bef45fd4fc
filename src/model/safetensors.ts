/**
 * The safetensors format (github.com/huggingface/safetensors, "Format"): eight bytes with the header's length, a JSON
 * header, then the tensors' bytes. Only what a policy needs: float32 tensors and text metadata. Pure; files are the
 * caller's business.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fromJson } from "../text/json.ts"

/** A float32 tensor: its shape and its numbers in row-major order. */
export interface Tensor {
  readonly shape: ReadonlyArray<number>
  readonly data: Float32Array
}

/** Tensors by name, with text metadata. */
export interface Tensors {
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: Readonly<Record<string, Tensor>>
}

/** Bytes that are not a safetensors file this module can read. */
export class MalformedTensors extends Schema.TaggedError<MalformedTensors>()("MalformedTensors", {
  reason: Schema.String
}) {
  override get message(): string {
    return `This is not a readable safetensors file: ${this.reason}.`
  }
}

const Natural = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const Header = fromJson(Schema.StructWithRest(
  Schema.Struct({ __metadata__: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)) }),
  [Schema.Record(
    Schema.String,
    Schema.Union([
      Schema.Struct({
        dtype: Schema.String,
        shape: Schema.Array(Natural),
        data_offsets: Schema.Tuple([Natural, Natural])
      }),
      Schema.Record(Schema.String, Schema.String)
    ])
  )]
))

const decodeHeader = Schema.decodeUnknownEffect(Header)

const lengthOf = (shape: ReadonlyArray<number>): number => shape.reduce((product, n) => product * n, 1)

/** The file's bytes. Tensors keep the order they are given in. */
export const encode = ({ metadata, tensors }: Tensors): Uint8Array => {
  let offset = 0
  const header: Record<string, unknown> = { __metadata__: metadata }
  for (const [name, tensor] of Object.entries(tensors)) {
    const end = offset + tensor.data.length * 4
    header[name] = { dtype: "F32", shape: tensor.shape, data_offsets: [offset, end] }
    offset = end
  }
  // The data starts at a multiple of eight bytes: the header is padded with blanks, as the format asks.
  const json = new TextEncoder().encode(JSON.stringify(header))
  const text = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20)
  text.set(json)
  const bytes = new Uint8Array(8 + text.length + offset)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  let at = 8 + text.length
  for (const { data } of Object.values(tensors)) {
    for (let i = 0; i < data.length; i++, at += 4) view.setFloat32(at, data[i]!, true)
  }
  return bytes
}

/** Reads a file's bytes; every length and offset is checked. */
export const decode = Effect.fnUntraced(function*(bytes: Uint8Array) {
  const refuse = (reason: string) => new MalformedTensors({ reason })
  if (bytes.length < 8) return yield* refuse("it is shorter than its own header")
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = view.getBigUint64(0, true)
  if (size > BigInt(bytes.length - 8)) return yield* refuse("its header is cut off")
  const start = 8 + Number(size)
  const header = yield* decodeHeader(new TextDecoder().decode(bytes.subarray(8, start))).pipe(
    Effect.mapError((error) => refuse(`its header is wrong (${error.message.split("\n")[0]})`))
  )
  const tensors: Record<string, Tensor> = {}
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__" || entry === undefined) continue
    if (name === "__proto__") return yield* refuse(`no tensor can have the name "${name}"`)
    if (!("data_offsets" in entry) || typeof entry.data_offsets === "string" || typeof entry.shape === "string") {
      return yield* refuse(`the entry "${name}" is not a tensor`)
    }
    if (entry.dtype !== "F32") return yield* refuse(`the tensor "${name}" is ${entry.dtype}; only F32 is read`)
    const [from, to] = entry.data_offsets
    if (to - from !== lengthOf(entry.shape) * 4 || start + to > bytes.length) {
      return yield* refuse(`the tensor "${name}" is cut off or has another size than its shape`)
    }
    const data = new Float32Array((to - from) / 4)
    for (let i = 0; i < data.length; i++) {
      data[i] = view.getFloat32(start + from + i * 4, true)
      if (!Number.isFinite(data[i]!)) return yield* refuse(`the tensor "${name}" holds a number that is not finite`)
    }
    tensors[name] = { shape: entry.shape, data }
  }
  return { metadata: header.__metadata__ ?? {}, tensors } satisfies Tensors
})
