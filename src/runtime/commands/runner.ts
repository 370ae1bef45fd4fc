/** The verb `runner`: this machine steps environments for runs elsewhere (`--placement runner`), until it is ended. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Runner from "../../actors/hosts/Runner.ts"
import { parse, type RunnerAddress, show } from "../../actors/links/RunnerDirectory.ts"
import { environmentReference } from "../../envs/loadEnvironment.ts"
import { splitReference } from "../../envs/options.ts"
import { sourcesHash } from "../../sources.ts"
import { plainJson, plainLine } from "../../text/plainLine.ts"
import { ConfigError } from "../config/configSources.ts"
import { fingerprintOf } from "../config/EnvironmentRecord.ts"
import { readPem, readSecrets, secretsNow } from "../files/secrets.ts"
import { triedEnvironment } from "../workers/firstLoading.ts"
import { buildId, hostIsThere } from "../workers/hostEntry.ts"
import { lacks, type Offer } from "../workers/offers.ts"
import { cluster } from "./clusterFlag.ts"
import { loadDeadline } from "./loadDeadline.ts"

/** An environment as a runner offers it. It is loaded here once, to know that it can be, and what its id is. */
const offerOf = Effect.fnUntraced(function*(reference: string, seconds: number) {
  // Before it is imported: what it is when it is run.
  const fingerprint = fingerprintOf(reference)
  const definition = yield* triedEnvironment(reference, 0, seconds)
  const offer: Offer = {
    id: definition.id,
    reference: definition.module === undefined ? reference : splitReference(environmentReference(definition)).base,
    fingerprint
  }
  return offer
})

const addressOf = Effect.fnUntraced(
  function*(source: string, text: string): Effect.fn.Return<RunnerAddress, ConfigError> {
    const address = parse(text)
    if (address !== undefined) return address
    const message = `${source} must be an address such as 127.0.0.1:4100; ${
      JSON.stringify(plainLine(text, 80))
    } is not.`
    return yield* new ConfigError({ source, message })
  }
)

const tlsOf = Effect.fnUntraced(function*(cert: Option.Option<string>, key: Option.Option<string>) {
  if (Option.isNone(cert) && Option.isNone(key)) return undefined
  if (Option.isNone(cert) || Option.isNone(key)) {
    return yield* new ConfigError({ source: "tls", message: "--tls-cert and --tls-key go together: give both." })
  }
  return { cert: yield* readPem(cert.value), key: yield* readPem(key.value) }
})

/** `runner drain <address>`: the runner there gives its work back, and ends. */
const drain = Effect.fnUntraced(
  function*(action: string, address: Option.Option<string>, secretFile: string, ca: Option.Option<string>) {
    if (action !== "drain") {
      return yield* new ConfigError({
        source: "runner",
        message: `A runner can be told to drain, and not to ${JSON.stringify(plainLine(action, 40))}.`
      })
    }
    if (Option.isNone(address)) {
      return yield* new ConfigError({ source: "runner", message: "runner drain needs the address of the runner." })
    }
    const at = yield* addressOf("The runner's address", address.value)
    const [secret] = yield* readSecrets(secretFile)
    yield* Runner.drain(at, { secret, ...(Option.isNone(ca) ? {} : { ca: yield* readPem(ca.value) }) })
    yield* Console.log(`Drained ${show(at)}: it has no work, and ends.`)
  }
)

/** Makes the runner known to a cluster, for the scope. */
const join = Effect.fnUntraced(function*(cluster: string, address: RunnerAddress) {
  // Few want it, and it takes a while to load.
  const { Cluster } = yield* Effect.promise(() => import("../cluster/Cluster.ts"))
  const services = yield* Layer.build(Cluster.layer(cluster))
  yield* Context.get(services, Cluster).join(address)
})

/** Addresses of a machine that stand for all that it has, and lead nowhere from another. */
const unspecified: ReadonlyArray<string> = ["0.0.0.0", "::"]

/** Where trainers of a cluster find this runner; undefined where that is where it listens. */
const advertised = Effect.fnUntraced(
  function*(text: Option.Option<string>, inCluster: boolean, listens: RunnerAddress) {
    if (Option.isSome(text)) {
      if (inCluster) return yield* addressOf("--advertise", text.value)
      return yield* new ConfigError({ source: "advertise", message: "--advertise goes with --cluster." })
    }
    if (!inCluster || !unspecified.includes(listens.host)) return undefined
    return yield* new ConfigError({
      source: "advertise",
      message: `--listen ${show(listens)} is no address at which trainers of a cluster find this runner: ` +
        "--advertise says one, such as runner-1:4100."
    })
  }
)

/** MiB. */
const Memory = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_048_576 }))
const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 64 }))

export const runnerCommand = Command.make(
  "runner",
  {
    action: Argument.String("drain").pipe(
      Argument.withDescription("has the runner at the address that follows give its work back, and end"),
      Argument.optional
    ),
    drained: Argument.String("address").pipe(
      Argument.withDescription("where that runner listens"),
      Argument.optional
    ),
    ca: Flag.String("ca").pipe(
      Flag.withDescription("drain: certificates in PEM format that the runner's comes from"),
      Flag.optional
    ),
    cluster,
    listen: Flag.String("listen").pipe(
      Flag.withDescription(
        "where to listen, such as 127.0.0.1:4100 (default); beyond this machine only with --tls-cert"
      ),
      Flag.withDefault("127.0.0.1:4100")
    ),
    advertise: Flag.String("advertise").pipe(
      Flag.withDescription(
        "with --cluster: the address at which trainers find this runner, where it is another than --listen"
      ),
      Flag.withMetavar("host:port"),
      Flag.optional
    ),
    secretFile: Flag.String("secret-file").pipe(
      Flag.withDescription(
        "file with the secret that runs must know, 16 characters or more; further lines hold others that are good too"
      )
    ),
    tlsCert: Flag.String("tls-cert").pipe(
      Flag.withDescription("file with this machine's certificate in PEM format: connections are encrypted"),
      Flag.optional
    ),
    tlsKey: Flag.String("tls-key").pipe(Flag.withDescription("file with its key in PEM format"), Flag.optional),
    environments: Flag.String("env-id").pipe(
      Flag.withDescription(
        "a module, or one of Gymnasium's, that runs may have here beside the environments that come with Troupe; may be repeated"
      ),
      Flag.atLeast(0)
    ),
    simulations: Flag.String("simulation").pipe(
      Flag.withDescription(
        "a module whose simulation may have hosts here (simulate --placement runner); may be repeated"
      ),
      Flag.atLeast(0)
    ),
    spares: Flag.Int("spares").pipe(
      Flag.withDescription("processes kept ready, so that work begins in milliseconds (default 1)"),
      Flag.withSchema(Count),
      Flag.withDefault(1)
    ),
    workerMemory: Flag.Int("worker-memory").pipe(
      Flag.withDescription("MiB that a process may take before it is ended; 0 does not limit it (default)"),
      Flag.withSchema(Memory),
      Flag.withDefault(0)
    ),
    loadDeadline,
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("say where it listens as a line of JSON"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function*(flags) {
    const { cluster, environments, json, listen, loadDeadline, secretFile, spares, tlsCert, tlsKey, workerMemory } =
      flags
    if (Option.isSome(flags.action)) return yield* drain(flags.action.value, flags.drained, secretFile, flags.ca)
    // Simulations are loaded by those alone who may need them.
    const [models, { encodeTold, runnerEntry }] = yield* Effect.promise(() =>
      Promise.all([import("../simulations/offeredModels.ts"), import("../simulations/runnerEntry.ts")])
    )
    yield* hostIsThere(runnerEntry)
    const address = yield* addressOf("--listen", listen)
    const tls = yield* tlsOf(tlsCert, tlsKey)
    // Refused now where it holds none; what it holds later counts then.
    yield* readSecrets(secretFile)
    const offers = yield* Effect.forEach(environments, (reference) => offerOf(reference, loadDeadline))
    const simulations = yield* Effect.forEach(flags.simulations, models.offerOf)
    const known = yield* advertised(flags.advertise, Option.isSome(cluster), address)
    const context = yield* Effect.context<never>()
    const runner = yield* Runner.make({
      listen: address,
      entry: runnerEntry,
      told: encodeTold({ environments: offers, simulations }),
      secrets: secretsNow(secretFile),
      build: sourcesHash(),
      buildId,
      spares,
      ...(workerMemory === 0 ? {} : { memoryLimit: { resident: workerMemory } }),
      ...(tls === undefined ? {} : { tls }),
      lacks: (need) => {
        const problem = models.lacks(simulations, need)
        return problem === null ? lacks(offers, need) : problem
      },
      notice: (text) => void Effect.runForkWith(context)(Effect.logWarning(text))
    })
    if (Option.isSome(cluster)) yield* join(cluster.value, known ?? runner.address)
    const at = show(runner.address)
    yield* Console.log(
      json
        ? plainJson(JSON.stringify({ listening: at, pid: process.pid }))
        : `Listening on ${at}, process ${process.pid}.`
    )
    yield* runner.drained
  }, Effect.scoped)
).pipe(Command.withDescription("Step environments on this machine for runs elsewhere"))
