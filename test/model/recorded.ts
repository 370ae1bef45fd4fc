/** Reads the recorded data that conformance tests compare with: one file of `REFERENCE_DIR`, or nothing when absent. */
import * as Schema from "effect/Schema"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** The folder of recorded data, our own copy unless another is named. */
export const referenceFolder = process.env["REFERENCE_DIR"] ?? "test/reference"

/** The decoded file, or `undefined` where this folder has none. A file of another form is an error. */
export const recorded = <S extends Schema.Codec<unknown, unknown>>(name: string, schema: S): S["Type"] | undefined => {
  const path = join(referenceFolder, name)
  return existsSync(path) ? Schema.decodeUnknownSync(schema)(JSON.parse(readFileSync(path, "utf8"))) : undefined
}
