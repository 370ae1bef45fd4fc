/**
 * Everything that decides a run, as one checked value.
 *
 * `options` is the single table behind the command line, the environment variables, the JSON file and the library's
 * input: each entry says what it means, which values it takes and how to say so. `RunConfig` is the value they all
 * end in; `presets.ts` holds named sets of values and `configSources.ts` puts the sources together.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { parse } from "../../actors/links/RunnerDirectory.ts"
import { deviceNames } from "../../model/Device.ts"
import { algorithmNames } from "./algorithmNames.ts"

/** One setting: its values, how a sentence describes them, and what `--help` says. */
export interface Option<A> {
  readonly schema: Schema.Codec<A>
  /** How text (a flag, an environment variable) is read before the schema sees it. */
  readonly kind: "text" | "texts" | "number" | "numbers" | "boolean"
  /** Completes the sentence "must be …". */
  readonly expected: string
  readonly help: string
  readonly alias?: string
  /** The values, where there are few. */
  readonly choices?: ReadonlyArray<string>
}

const text = (expected: string, help: string): Option<string> => ({
  schema: Schema.NonEmptyString,
  kind: "text",
  expected,
  help
})

const choice = <const Values extends ReadonlyArray<string>>(values: Values, help: string): Option<Values[number]> => ({
  schema: Schema.Literals(values),
  kind: "text",
  expected: `one of ${values.join(", ")}`,
  help,
  choices: values
})

const whole = (minimum: number, maximum: number, help: string, alias?: string): Option<number> => ({
  schema: Schema.Int.check(Schema.isBetween({ minimum, maximum })),
  kind: "number",
  expected: `a whole number from ${minimum} to ${maximum}`,
  help,
  ...(alias === undefined ? {} : { alias })
})

const real = (
  range: { readonly above?: number; readonly from?: number; readonly to?: number; readonly below?: number },
  help: string,
  alias?: string
): Option<number> => {
  const checks = Schema.Finite.check(
    Schema.makeFilter((value: number) =>
      (range.above === undefined || value > range.above) && (range.from === undefined || value >= range.from) &&
      (range.to === undefined || value <= range.to) && (range.below === undefined || value < range.below)
    )
  )
  const bounds = [
    range.above === undefined ? "" : `above ${range.above}`,
    range.from === undefined ? "" : `from ${range.from}`,
    range.to === undefined ? "" : range.above === undefined ? `to ${range.to}` : `and at most ${range.to}`,
    range.below === undefined ? "" : `and below ${range.below}`
  ].filter((bound) => bound !== "").join(" ")
  return {
    schema: checks,
    kind: "number",
    expected: `a finite number ${bounds}`,
    help,
    ...(alias === undefined ? {} : { alias })
  }
}

const yes = (help: string): Option<boolean> => ({
  schema: Schema.Boolean,
  kind: "boolean",
  expected: "true or false",
  help
})

const maxSeed = Number.MAX_SAFE_INTEGER
const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: maxSeed }))

/** Every setting of a run. The order is the order of `--help`. */
export const options = {
  envId: text(
    `an environment's id, such as CartPole-v1, or the path of a module that exports one`,
    "environment: a registered id, or a TypeScript/JavaScript module that exports one (./grid.ts or ./grid.ts:Grid-v0), or gymnasium: and an id of Gymnasium's Python package"
  ),
  wrap: {
    schema: Schema.Array(Schema.NonEmptyString).check(Schema.isMaxLength(32)),
    kind: "texts",
    expected: "up to 32 wrappers of the environment as name:option, such as FrameStackObservation:4",
    help:
      "a wrapper of the environment, such as FrameStackObservation:4 (docs/environments.md); may be repeated, the innermost first"
  },
  preset: choice(
    ["a2c", "a3c", "impala", "ppo", "recurrent-ppo", "notebook-ray", "notebook-a3c"],
    "named settings that the other flags then change (default: that of --algo)"
  ),
  algo: choice(algorithmNames, "algorithm: a2c and ppo, all in step, or a3c and impala, each at its own pace"),
  schedule: choice(
    ["sync", "async", "seeded"],
    "whose turn it is: sync, all together; async, by the clock (recorded); seeded, drawn from the seed. Also --sync, --async, --async seeded"
  ),
  ship: choice(
    ["auto", "experience", "gradients"],
    "what travels from the workers to the learner; in step the numbers are the same. auto: gradients where the workers can make them; between processes and machines, in step, what is smaller"
  ),
  seed: whole(0, maxSeed, "root seed: environments, action sampling, initial weights, evaluation"),
  nEnvs: whole(1, 65_536, "number of environments", "num-envs"),
  envsPerWorker: {
    schema: Schema.Union([Schema.Literal("auto"), Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65_536 }))]),
    kind: "number",
    expected: "a whole number from 1 to 65536, or auto",
    help: "environments of one EnvWorker actor; auto: in step one worker a host, asynchronously one environment each"
  },
  workers: whole(1, 1024, "threads or processes the actors share, a local worker's included (default: one per core)"),
  placement: choice(
    ["auto", "fiber", "thread", "process", "runner"],
    "where the actors live: fibers of this thread, worker threads, child processes, or other machines (docs/machines.md); auto: this thread or threads, what turns out to be quicker, and threads where --workers says how many"
  ),
  runners: {
    schema: Schema.NonEmptyString.check(
      Schema.makeFilter((text: string) =>
        text === "none" || text === "cluster" || text.split(",").every((address) => parse(address) !== undefined)
      )
    ),
    kind: "text",
    expected: "addresses such as 10.0.0.5:4100, separated by commas, or cluster, or none",
    help:
      "where runners listen (troupe runner), separated by commas; cluster: those that --cluster knows. For --placement runner"
  },
  runnerSecretFile: text(
    "the path of a file, or none",
    "file with the secret that the runners know too; its first line counts. For --placement runner"
  ),
  runnerCa: text(
    "the path of a file, or none",
    "certificates in PEM format that those of the runners come from; needed where they are other machines"
  ),
  runnerLease: real(
    { from: 0.1, to: 3600 },
    "seconds that a runner may give no sign of life before its work goes to another"
  ),
  runnerDeadline: real({ above: 0, to: 1_000_000 }, "seconds that it may take until there is a runner"),
  workerMemory: whole(
    0,
    1_048_576,
    "MiB that a child process may take before it is ended and restarted; 0 does not limit it. For --placement process"
  ),
  localWorker: {
    schema: Schema.Union([Schema.Literal("auto"), Schema.Boolean]),
    kind: "boolean",
    expected: "true, false or auto",
    help:
      "whether this thread steps environments beside the worker threads, in step: quicker, but what wedges or ends it ends the run. auto: for environments that come with Troupe"
  },
  device: choice(
    [...deviceNames, "gpu", "auto"],
    "where the learner computes (docs/devices.md): cpu, WebAssembly SIMD; gpu, which is cuda or webgpu; auto, the fastest by measuring"
  ),
  totalTimesteps: whole(1, 1_000_000_000_000, "environment steps after which an unsolved run stops"),
  keepGoing: yes("train on after the environment is solved, to --total-timesteps"),
  totalEpisodes: whole(0, 1_000_000_000, "training episodes after which a run stops; 0 does not count them"),
  episodeLimit: whole(0, 1_000_000_000, "steps after which an episode is truncated; 0 leaves it to the environment"),
  nSteps: whole(1, 65_536, "steps of each environment between two updates"),
  maxStaleness: {
    schema: Schema.Union([Schema.Literal("none"), Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_536 }))]),
    kind: "number",
    expected: "a whole number from 0 to 65536, or none",
    help: "async: most updates that may lie between pulling weights and pushing what came of them"
  },
  whenStale: choice(["wait", "refuse"], "async: hold the others back for the oldest, or drop what is too old"),
  network: choice(
    ["separate", "shared", "gru"],
    "policy and value as two networks, two heads on one trunk, or two on a gated recurrent unit, which remembers"
  ),
  hidden: {
    schema: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 16_384 }))).check(
      Schema.isMaxLength(16)
    ),
    kind: "numbers",
    expected: "up to 16 layer widths from 1 to 16384 separated by commas, such as 64,64",
    help: "widths of the hidden layers, separated by commas; of --network gru the last is what it remembers"
  },
  activation: choice(["tanh", "relu"], "activation of the hidden layers"),
  init: choice(["pytorch", "orthogonal"], "initial weights: torch.nn.Linear's default, or orthogonal"),
  logStdInit: real({ from: -10, to: 10 }, "actions that are real numbers: logarithm of their first deviation"),
  initFrom: text(
    "the path of a safetensors file or of a run's folder, or none",
    "begin with the weights of this file (PyTorch's names and shapes) or run, rather than with drawn ones"
  ),
  optimizer: choice(["rmsprop", "adam"], "optimizer"),
  lr: real({ above: 0, to: 1 }, "learning rate", "learning-rate"),
  lrSchedule: choice(["constant", "linear"], "learning rate over the run: constant, or linear from --lr to --lr-final"),
  lrFinal: real({ from: 0, to: 1 }, "learning rate at the end of a linear schedule"),
  lrDecaySteps: whole(1, 1_000_000_000_000, "environment steps that a linear schedule takes"),
  rmspropAlpha: real({ from: 0, to: 1 }, "RMSProp: smoothing of the squared gradient"),
  adamBeta1: real({ from: 0, below: 1 }, "Adam: decay of the mean gradient"),
  adamBeta2: real({ from: 0, below: 1 }, "Adam: decay of the squared gradient"),
  optimizerEps: real({ above: 0, to: 1 }, "optimizer's epsilon"),
  rmspropEps: choice(
    ["outside", "inside"],
    "RMSProp: epsilon added to the root (PyTorch), or under it (Mnih et al. 2016)"
  ),
  loss: choice(
    ["a2c", "td"],
    "a2c, or notebook 002's one-step temporal differences (needs --ship gradients and async)"
  ),
  detachBootstrap: yes(
    "td loss: the value's gradient does not flow through the next value; false is the notebook's quirk"
  ),
  gamma: real({ from: 0, to: 1 }, "discount factor"),
  gaeLambda: real({ from: 0, to: 1 }, "lambda of generalized advantage estimation"),
  returns: choice(
    ["gae", "n-step", "monte-carlo"],
    "what the critic learns: GAE(lambda), n-step or Monte-Carlo returns"
  ),
  normalizeAdvantage: yes("normalize the advantages of each batch"),
  actionMasks: yes("actions that the environment says are not legal are never taken; false lets all be taken"),
  normalizeObservations: yes(
    "the policy sees each observation less the running mean and over the running deviation, clipped to 10; both are part of the weights"
  ),
  normalizeRewards: yes("rewards are paid over the running deviation of the discounted return, clipped to 10"),
  entCoef: real({ from: 0 }, "weight of the entropy bonus"),
  vfCoef: real({ from: 0 }, "weight of the value loss"),
  maxGradNorm: real({ from: 0 }, "clip the gradient's global norm; 0 never clips"),
  nEpochs: whole(1, 1000, "passes over each batch"),
  batchSize: whole(
    1,
    1_000_000_000,
    "ppo: rows of a minibatch; a whole number of them makes up --n-envs times --n-steps"
  ),
  clipRange: real({ above: 0 }, "ppo: how far the probability ratio pays off on either side of 1"),
  clipRangeVf: {
    schema: Schema.Union([Schema.Literal("none"), Schema.Finite.check(Schema.isGreaterThan(0))]),
    kind: "number",
    expected: "a finite number above 0, or none",
    help: "ppo: how far the value may move from what it was; none does not clip it"
  },
  clipSchedule: choice(
    ["constant", "linear"],
    "ppo: clip range over the run: constant, or linear to 0 at --total-timesteps"
  ),
  entSchedule: choice(
    ["constant", "linear"],
    "ppo: weight of the entropy bonus over the run: constant, or linear to 0 at --total-timesteps"
  ),
  targetKl: {
    schema: Schema.Union([Schema.Literal("none"), Schema.Finite.check(Schema.isGreaterThan(0))]),
    kind: "number",
    expected: "a finite number above 0, or none",
    help: "ppo: ends the passes over a batch where the approximate KL divergence exceeds one and a half of it"
  },
  clipRhoThreshold: real({ above: 0 }, "impala: bound of the probability ratios that weigh what a step teaches"),
  clipCThreshold: real(
    { above: 0 },
    "impala: bound of the probability ratios that carry a step's surprise back to those before it; at most --clip-rho-threshold"
  ),
  evalEpisodes: whole(1, 100_000, "fresh episodes of the greedy evaluation that confirms a solved run"),
  maxRestarts: {
    schema: Schema.Union([
      Schema.Literal("auto"),
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
    ]),
    kind: "number",
    expected: "a whole number from 0 to 1000000, or auto",
    help:
      "restarts of one worker, within a minute or in a row with no piece of work done in between, before the run fails. auto: 1000 within a minute, 10 in a row"
  },
  loadDeadline: real({ above: 0, to: 1_000_000 }, "seconds that the module of an environment may take to load"),
  collectDeadline: real(
    { above: 0, to: 1_000_000 },
    "seconds a worker may take for one piece of work, and its thread may give no sign of life"
  ),
  chaos: whole(
    0,
    1_000_000,
    "kill this many workers during the run; who, when and of what is drawn from the seed"
  ),
  restartSameSeed: yes("quirk of the notebook: every episode of a worker starts from the same seed"),
  normalizeReturns: yes("quirk of the notebook: the critic learns returns normalized within each worker's fragment"),
  bootstrapTruncated: yes(
    "a truncated episode bootstraps from its final observation's value; false is the notebook's quirk"
  ),
  dropLastStep: yes("quirk of the notebook: an unfinished fragment loses its last step"),
  syncCritic: yes("a worker's critic head gets the learner's weights; false is notebook 002's quirk"),
  rewards: choice(["environment", "notebook"], "what the policy is paid; notebook 002: -1 for falling, 0.01 otherwise"),
  evaluation: choice(
    ["solved", "notebook-ray", "notebook-a3c"],
    "when to evaluate and stop: once solved; or as the notebooks did (docs/notebooks.md)"
  ),
  samplingSeed: {
    schema: Schema.Union([Schema.Literals(["seed", "random"]), Seed]),
    kind: "number",
    expected: "a whole number from 0, seed (the same as --seed), or random",
    help:
      "seed of the action sampling; random is the notebook's quirk: two runs differ (config.json keeps what was drawn)"
  },
  logDir: text("the path of a folder", "folder that receives the run's folder"),
  runFolder: yes("write a run folder"),
  logInterval: whole(1, 1_000_000, "updates between two lines of progress"),
  checkpointInterval: whole(
    0,
    1_000_000_000,
    "updates between two checkpoints in the run's folder; 0: at the end and when interrupted only"
  ),
  keepCheckpoints: whole(1, 1_000_000, "checkpoints to keep; older ones are deleted")
} as const

/** The name of a setting, as the library and the JSON file spell it. */
export type OptionName = keyof typeof options
/** The names of all settings, in the order of the table. */
export const optionNames = Object.keys(options).filter((name): name is OptionName => name in options)

interface SchemaOf extends Struct.Lambda {
  <A>(option: Option<A>): Schema.Codec<A>
  readonly "~lambda.out": this["~lambda.in"] extends Option<infer A> ? Schema.Codec<A> : never
}

/** The schema of a whole configuration: `config.json` of a run folder. */
export const RunConfig = Schema.Struct(Struct.map(options, Struct.lambda<SchemaOf>((option) => option.schema)))

/** Everything that decides a run. Made by `configSources.resolve`; a plain JSON value. */
export type RunConfig = typeof RunConfig.Type

/** The configuration of the run under way, as a service. */
export class CurrentConfig extends Context.Service<CurrentConfig, RunConfig>()("troupe/runtime/CurrentConfig") {
  static readonly layer = (config: RunConfig): Layer.Layer<CurrentConfig> => Layer.succeed(CurrentConfig, config)
}

/** `nEnvs` is `--n-envs` on the command line. */
export const flagName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** `nEnvs` is `TROUPE_N_ENVS` in the environment. */
export const variableName = (name: string): string => `TROUPE_${flagName(name).replaceAll("-", "_").toUpperCase()}`
