/** How a simulation asks for hosts on runners. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { parse } from "../../actors/links/RunnerDirectory.ts"
import type { HostsOptions } from "../../simulation/hosts/run.ts"
import { sourcesHash } from "../../sources.ts"
import { plainLine } from "../../text/plainLine.ts"
import { runnersOfCluster } from "../cluster/Membership.ts"
import { ConfigError } from "../config/configSources.ts"
import { runnersOf, unreachable } from "../config/hosts.ts"
import { readPem, readSecrets } from "../files/secrets.ts"
import type { LoadedModel } from "./loadModel.ts"
import { needOf } from "./offeredModels.ts"

export type Runners = NonNullable<HostsOptions<unknown>["runners"]>

const usage = (source: string, message: string) => new ConfigError({ source, message })

/** What a person says of the runners that are to have a simulation's hosts. */
export interface RunnerWords {
  /** Where they listen, separated by commas; or `cluster`. */
  readonly runners: string | undefined
  /** The file with the secret that they know. */
  readonly secretFile: string | undefined
  /** The file of certificates, needed where they are other machines. */
  readonly ca: string | undefined
  /** The database that knows them, with `cluster`. */
  readonly cluster: string | undefined
}

/** The addresses in a text. */
const addressesIn = Effect.fnUntraced(function*(text: string) {
  const addresses = runnersOf({ runners: text })
  const wrong = addresses.find((address) => parse(address) === undefined)
  if (wrong === undefined) return { runners: addresses }
  return yield* usage(
    "runners",
    `--runners must be addresses such as 10.0.0.5:4100, separated by commas, or cluster; ${
      JSON.stringify(plainLine(wrong, 80))
    } is none.`
  )
})

/** The runners that a database knows, as they come and go, for the scope. */
const inCluster = Effect.fnUntraced(function*(cluster: string | undefined) {
  if (cluster === undefined) return yield* runnersOfCluster(null)
  const { Cluster } = yield* Effect.promise(() => import("../cluster/Cluster.ts"))
  const services = yield* Layer.build(Cluster.layer(cluster))
  return yield* runnersOfCluster({ run: "simulation", term: 1, runners: Context.get(services, Cluster).runners })
})

export const onRunners = Effect.fnUntraced(function*(
  { model, module }: LoadedModel,
  { ca = "none", cluster, runners = "none", secretFile = "none" }: RunnerWords
) {
  if (cluster !== undefined && runners !== "cluster") {
    return yield* usage("cluster", "--cluster goes with --runners cluster: it knows them.")
  }
  const named = yield* addressesIn(runners)
  const missing = unreachable({ placement: "runner", runners, runnerSecretFile: secretFile, runnerCa: ca })
  if (missing !== undefined) return yield* usage("runners", missing)
  const [secret] = yield* readSecrets(secretFile)
  const context = yield* Effect.context<never>()
  const options: Runners = {
    ...(runners === "cluster" ? yield* inCluster(cluster) : named),
    secret,
    build: sourcesHash(),
    need: needOf(model.modelName, module),
    // Shares do nothing but answer: whoever is lost is not waited for.
    fence: false,
    ...(ca === "none" ? {} : { ca: yield* readPem(ca) }),
    notice: (text: string) => void Effect.runForkWith(context)(Effect.logWarning(text))
  }
  return options
})
