/** The verb `push`: a run's policy to the Hugging Face hub, with a page that says what it is. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { plainLine } from "../../text/plainLine.ts"
import { ConfigError } from "../config/configSources.ts"
import { flagName } from "../config/RunConfig.ts"
import { Policy } from "../evaluation/Policy.ts"
import { policyFile } from "../evaluation/policyPath.ts"
import * as readData from "../files/readData.ts"
import { lastRowOf } from "../reporting/ProgressFiles.ts"
import * as RunFolder from "../reporting/RunFolder.ts"
import { weightsHash } from "../Run.ts"

/** What belongs to a run, where it is there. */
const others = ["config.json", "progress.csv", "curve.svg"] as const

/** Bytes of a file that is pushed. */
const mostBytes = 256 * 1024 * 1024

const usage = (source: string, message: string) => new ConfigError({ source, message })

/** A setting as a person would write it. */
const shown = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(value)

const cardOf = Effect.fnUntraced(function*(folder: RunFolder.RunFolder, policy: Policy, pictured: boolean) {
  const { modelCard } = yield* Effect.promise(() => import("../publishing/modelCard.ts"))
  const progress = folder.file("progress.csv")
  const last = yield* lastRowOf(progress, "time/total_timesteps")
  const evaluated = yield* lastRowOf(progress, "eval/mean_reward")
  return modelCard({
    envId: policy.envId,
    algo: shown(folder.config["algo"] ?? folder.preset),
    seed: folder.seed,
    weightsSha256: weightsHash(policy.weights),
    steps: last,
    evaluation: evaluated,
    settings: Object.entries(folder.config).map(([name, value]) => [`--${flagName(name)}`, shown(value)] as const),
    picture: pictured ? "curve.svg" : undefined
  })
})

export const pushCommand = Command.make(
  "push",
  {
    folder: Argument.String("folder").pipe(Argument.withDescription("a run's folder")),
    repository: Argument.String("repository").pipe(
      Argument.withDescription("where to, as user/name; it is made where there is none")
    ),
    private: Flag.Boolean("private").pipe(
      Flag.withDescription("where it is made, make it private"),
      Flag.withDefault(false)
    ),
    endpoint: Flag.String("endpoint").pipe(
      Flag.withDescription("the hub's address (default: the variable HF_ENDPOINT, else https://huggingface.co)"),
      Flag.withMetavar("url"),
      Flag.optional
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("print the page, and push nothing"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function*({ dryRun, endpoint, folder: path, private: isPrivate, repository }) {
    const paths = yield* Path.Path
    if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) {
      return yield* usage("repository", `${plainLine(repository, 100)}: write where to as user/name.`)
    }
    const found = yield* RunFolder.read(path)
    if (Option.isNone(found)) {
      return yield* usage(
        "folder",
        `${plainLine(path, 200)} is no folder of a run: name one such as runs/CartPole-v1__...`
      )
    }
    const folder = found.value
    const policy = yield* Policy.load(folder.file(policyFile))
    const contentOf = (name: string) =>
      Effect.map(
        readData.read(folder.file(name), mostBytes),
        (content) => ({ path: name, content: Uint8Array.from(content) })
      )
    const present = yield* Effect.forEach(others, (name) => Effect.option(contentOf(name)))
    const rest = present.flatMap((file) => Option.isSome(file) ? [file.value] : [])
    const card = yield* cardOf(folder, policy, rest.some(({ path }) => path === "curve.svg"))
    if (dryRun) return yield* Console.log(card)
    const token = process.env["HF_TOKEN"]
    if (token === undefined || token === "") {
      return yield* usage(
        "HF_TOKEN",
        "Say who pushes: the variable HF_TOKEN is a token of the hub that may write there."
      )
    }
    const { push } = yield* Effect.promise(() => import("../publishing/hub.ts"))
    const url = yield* push({
      repository,
      token,
      endpoint: Option.getOrElse(endpoint, () => process.env["HF_ENDPOINT"] ?? "https://huggingface.co").replace(
        /\/+$/,
        ""
      ),
      isPrivate,
      title: `Policy of ${paths.basename(folder.path)}`,
      files: [
        { path: "README.md", content: new TextEncoder().encode(card) },
        yield* contentOf(policyFile),
        ...rest
      ]
    })
    yield* Console.log(plainLine(url))
  })
).pipe(Command.withDescription("Push a run's policy to the Hugging Face hub, with a page that says what it is"))
