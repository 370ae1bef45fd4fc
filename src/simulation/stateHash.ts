/**
 * `state_sha256`: a hash of all that decides what a world will do. Shares are hashed one by one, so that each host hashes
 * its own, and then together in their order.
 */
import { createHash } from "node:crypto"
import type { Engine } from "./Engine.ts"
import type { AnyModel } from "./Model.ts"
import { PlainWriter } from "./plainData.ts"
import { save, type ShareState } from "./ShareState.ts"

/** A share's own hash. */
export interface ShareDigest {
  readonly share: number
  readonly sha256: string
}

export const digestOf = (state: ShareState): ShareDigest => {
  const writer = new PlainWriter()
  writer.value(state)
  return { share: state.share, sha256: createHash("sha256").update(writer.bytes).digest("hex") }
}

export const digestsOf = (engine: Engine): ReadonlyArray<ShareDigest> => save(engine).map(digestOf)

export const stateSha256 = (model: AnyModel, now: number, digests: ReadonlyArray<ShareDigest>): string => {
  const writer = new PlainWriter()
  writer.value([model.modelName, now, digests.toSorted((a, b) => a.share - b.share).map(({ sha256 }) => sha256)])
  return createHash("sha256").update(writer.bytes).digest("hex")
}
