/** The Hugging Face hub, by its own library, which is looked for when it is needed. */
import type * as Hub from "@huggingface/hub"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { pathToFileURL } from "node:url"
import { locate, PackageFolders } from "../../model/devices/packages.ts"
import { plainLine, thrownText } from "../../text/plainLine.ts"
import { withDeadline } from "../../time/deadline.ts"

/** Nothing was pushed. The message says why, and the way out. */
export class PushFault extends Schema.TaggedError<PushFault>()("PushFault", { message: Schema.String }) {}

/** The version that is known to work; no other is run. */
const version = "2.17.5"
const name = "@huggingface/hub"

/** Milliseconds that all of it may take. */
const patience = 300_000

type Library = Pick<typeof Hub, "createRepo" | "uploadFiles">

const isLibrary = (module: object): module is Library =>
  ["createRepo", "uploadFiles"].every((part) => typeof Reflect.get(module, part) === "function")

const load = Effect.gen(function*() {
  const missing = new PushFault({ message: `The hub is reached by ${name}: npm install ${name}@${version}.` })
  const found = locate(name, yield* PackageFolders)
  if (found === undefined || found.version !== version) return yield* missing
  const module = yield* Effect.tryPromise({
    try: (): Promise<object> => import(pathToFileURL(found.file).href),
    catch: (cause) => new PushFault({ message: `${name} cannot be loaded: ${plainLine(thrownText(cause))}.` })
  })
  return isLibrary(module) ? module : yield* missing
})

const statusOf = (cause: unknown): number | undefined =>
  cause instanceof Error && "statusCode" in cause && typeof cause.statusCode === "number" ? cause.statusCode : undefined

/** What the hub, or the way there, has said, as a sentence. */
const refused = (cause: unknown): string => {
  const status = statusOf(cause)
  const said = plainLine(thrownText(cause), 300)
  if (status === 401 || status === 403) {
    return `The hub refuses it (${said}): HF_TOKEN must be a token that may write there.`
  }
  return status === undefined ? `The hub cannot be reached: ${said}.` : `The hub answers ${status}: ${said}.`
}

export interface Push {
  /** `user/name`. */
  readonly repository: string
  readonly token: string
  readonly endpoint: string
  readonly isPrivate: boolean
  readonly title: string
  readonly files: ReadonlyArray<{ readonly path: string; readonly content: Uint8Array<ArrayBuffer> }>
}

/** Makes the repository where there is none, and commits the files. Answers the address of the commit. */
export const push = (
  { endpoint, files, isPrivate, repository, title, token }: Push
): Effect.Effect<string, PushFault> =>
  Effect.gen(function*() {
    const { createRepo, uploadFiles } = yield* load
    const common = { repo: { type: "model", name: repository }, accessToken: token, hubUrl: endpoint } as const
    return yield* Effect.tryPromise({
      try: async (abortSignal) => {
        try {
          await createRepo({ ...common, ...(isPrivate ? { visibility: "private" } : {}) })
        } catch (cause) {
          // It is there already.
          if (statusOf(cause) !== 409) throw cause
        }
        const pushed = await uploadFiles({
          ...common,
          abortSignal,
          commitTitle: title,
          files: files.map(({ content, path }) => ({ path, content: new Blob([content]) }))
        })
        return pushed?.commit.url ?? `${endpoint}/${repository}`
      },
      catch: (cause) => new PushFault({ message: refused(cause) })
    })
  }).pipe(
    withDeadline(
      patience,
      () => Effect.fail(new PushFault({ message: `The hub has not answered within ${patience / 1000} s.` }))
    )
  )
