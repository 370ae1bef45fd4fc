/** Where a policy lies: in a file, or in a run's folder. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

/** The name of a policy in a run's folder. */
export const policyFile = "policy.safetensors"

/** The path of the policy file that somebody means by `path`. */
export const policyPath = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  const isFolder = yield* fs.stat(path).pipe(
    Effect.map((info) => info.type === "Directory"),
    Effect.orElseSucceed(() => false)
  )
  return isFolder ? `${path}/${policyFile}` : path
})
