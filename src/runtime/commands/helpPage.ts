/** The page that `--help` and `help` print: what there is, grouped by what it is about, and wrapped. */
import type * as HelpDoc from "effect/cli/HelpDoc"
import * as Option from "effect/Option"
import { type AlgorithmName, algorithmNames } from "../config/algorithmNames.ts"
import { ownersOf } from "../config/algorithmSettings.ts"
import { flagName, type OptionName, optionNames } from "../config/RunConfig.ts"

/** The groups, in their order. */
const groups = {
  run: "The run",
  environments: "Environments and workers",
  asynchronous: "At their own pace",
  network: "Network and device",
  learning: "Learning",
  evaluation: "Evaluation",
  output: "Output",
  impala: "IMPALA",
  ppo: "PPO",
  quirks: "Quirks of the notebooks"
} as const

type Group = keyof typeof groups

/** Where each setting stands. */
const groupOfOption: Readonly<Record<OptionName, Group>> = {
  envId: "run",
  wrap: "run",
  preset: "run",
  algo: "run",
  seed: "run",
  totalTimesteps: "run",
  keepGoing: "run",
  totalEpisodes: "run",
  episodeLimit: "run",
  nEnvs: "environments",
  envsPerWorker: "environments",
  workers: "environments",
  placement: "environments",
  runners: "environments",
  runnerSecretFile: "environments",
  runnerCa: "environments",
  runnerLease: "environments",
  runnerDeadline: "environments",
  workerMemory: "environments",
  localWorker: "environments",
  maxRestarts: "environments",
  loadDeadline: "environments",
  collectDeadline: "environments",
  chaos: "environments",
  schedule: "asynchronous",
  ship: "asynchronous",
  maxStaleness: "asynchronous",
  whenStale: "asynchronous",
  network: "network",
  hidden: "network",
  activation: "network",
  init: "network",
  logStdInit: "network",
  initFrom: "network",
  device: "network",
  nSteps: "learning",
  optimizer: "learning",
  lr: "learning",
  lrSchedule: "learning",
  lrFinal: "learning",
  lrDecaySteps: "learning",
  rmspropAlpha: "learning",
  adamBeta1: "learning",
  adamBeta2: "learning",
  optimizerEps: "learning",
  rmspropEps: "learning",
  batchSize: "ppo",
  clipRange: "ppo",
  clipRangeVf: "ppo",
  clipSchedule: "ppo",
  entSchedule: "ppo",
  targetKl: "ppo",
  clipRhoThreshold: "impala",
  clipCThreshold: "impala",
  loss: "learning",
  gamma: "learning",
  gaeLambda: "learning",
  returns: "learning",
  normalizeAdvantage: "learning",
  actionMasks: "learning",
  normalizeObservations: "learning",
  normalizeRewards: "learning",
  entCoef: "learning",
  vfCoef: "learning",
  maxGradNorm: "learning",
  nEpochs: "learning",
  evalEpisodes: "evaluation",
  evaluation: "evaluation",
  logDir: "output",
  runFolder: "output",
  logInterval: "output",
  checkpointInterval: "output",
  keepCheckpoints: "output",
  detachBootstrap: "quirks",
  restartSameSeed: "quirks",
  normalizeReturns: "quirks",
  bootstrapTruncated: "quirks",
  dropLastStep: "quirks",
  syncCritic: "quirks",
  rewards: "quirks",
  samplingSeed: "quirks"
}

/** Flags of `train` that are no settings. */
const groupOfFlag: Readonly<Record<string, Group>> = {
  config: "run",
  resume: "run",
  replay: "run",
  serial: "environments",
  sync: "asynchronous",
  async: "asynchronous",
  trace: "output",
  "trace-from": "output",
  "trace-seconds": "output",
  "metrics-port": "output",
  dashboard: "output",
  "dashboard-port": "output",
  json: "output",
  quiet: "output",
  ...Object.fromEntries(Object.entries(groupOfOption).map(([name, group]) => [flagName(name), group]))
}

/** Whether a flag is a setting of other algorithms alone. */
const foreignTo = (algorithm: AlgorithmName, flag: string): boolean => {
  const setting = optionNames.find((name) => flagName(name) === flag)
  const owners = setting === undefined ? [] : ownersOf(setting)
  return owners.length > 0 && !owners.includes(algorithm)
}

/** Columns of the names, before what is said of them, and how long a name may be to stand beside that. */
const indent = 30
const longest = indent - 3

/** Breaks text into lines of at most `width` characters; a longer word has a line of its own. */
export const wrap = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return line === "" ? lines : [...lines, line]
}

const entry = (name: string, text: string, width: number): string => {
  const lines = wrap(text, width - indent)
  // A long name has a line to itself, or several: lists of values break where one ends.
  const beside = name.length <= longest
  const names = beside
    ? [name]
    : wrap(name.replaceAll("|", "| "), width - 4).map((part, i) =>
      `${i === 0 ? "" : "  "}${part.replaceAll("| ", "|")}`
    )
  const first = beside ? [`  ${name.padEnd(indent - 2)}${lines[0] ?? ""}`] : names.map((part) => `  ${part}`)
  return [...first, ...lines.slice(beside ? 1 : 0).map((line) => `${" ".repeat(indent)}${line}`)].join("\n").trimEnd()
}

const flagEntry = (flag: HelpDoc.FlagDoc, width: number): string => {
  const names = [`--${flag.name}`, ...flag.aliases].join(", ")
  const type = flag.type === "boolean" || flag.type === "" ? "" : ` ${flag.type}`
  return entry(`${names}${type}`, Option.getOrElse(flag.description, () => ""), width)
}

/** A verb and what it does. */
export interface Verb {
  readonly name: string
  readonly description: string
}

/** The page of a command, for lines of `width` columns. `strong` marks the titles; `verbs` are those to speak of. */
export const helpPage = (
  doc: HelpDoc.HelpDoc,
  verbs: ReadonlyArray<Verb>,
  width: number,
  strong: (title: string) => string,
  algorithm: AlgorithmName
): string => {
  const parts: Array<string> = [wrap(doc.description, width).join("\n"), `${strong("Usage")}\n  ${doc.usage}`]
  const section = (title: string, entries: ReadonlyArray<string>) => {
    if (entries.length > 0) parts.push([strong(title), ...entries].join("\n"))
  }
  section("Verbs", verbs.map(({ description, name }) => entry(name, description, width)))
  section(
    "Arguments",
    (doc.args ?? []).map((argument) => entry(argument.name, Option.getOrElse(argument.description, () => ""), width))
  )
  const hasSettings = doc.flags.some(({ name }) => name === "algo")
  if (!hasSettings) section("Flags", doc.flags.map((flag) => flagEntry(flag, width)))
  else {
    for (const [group, title] of Object.entries(groups)) {
      const flags = doc.flags.filter(({ name }) =>
        (groupOfFlag[name] ?? "output") === group && !foreignTo(algorithm, name)
      )
      section(title, flags.map((flag) => flagEntry(flag, width)))
    }
  }
  if (hasSettings) {
    const others = algorithmNames.filter((name) => name !== algorithm).map((name) => `--algo ${name}`).join(" or ")
    parts.push(
      wrap(`These are the settings of ${algorithm}; add ${others} for those of another algorithm.`, width).join("\n")
    )
  }
  section("Everywhere", (doc.globalFlags ?? []).map((flag) => flagEntry(flag, width)))
  section("Examples", (doc.examples ?? []).map(({ command, description = "" }) => entry(command, description, width)))
  return parts.join("\n\n")
}
