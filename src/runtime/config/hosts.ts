/** How many threads, processes or hosts on runners a run has for its workers, and how many there can be. */
import * as os from "node:os"
import { mostOthers } from "../../actors/links/Doorbell.ts"
import { isLoopback, parse } from "../../actors/links/RunnerDirectory.ts"
import { isGymnasium } from "../../envs/gymnasium/reference.ts"
import { splitReference } from "../../envs/options.ts"
import { Registry } from "../../envs/Registry.ts"
import { placements } from "./placements.ts"
import type { RunConfig } from "./RunConfig.ts"

/** Workers where nothing is said: one a core. */
export const usualWorkers = (): number => Math.min(Math.max(1, os.availableParallelism()), mostOthers)

/** The addresses among the settings. */
export const runnersOf = ({ runners }: Pick<RunConfig, "runners">): ReadonlyArray<string> =>
  runners === "none" || runners === "cluster" ? [] : runners.split(",").map((address) => address.trim())

/** What is missing for work on other machines, as a sentence. */
export const unreachable = (
  { placement, runnerCa, runners, runnerSecretFile }: Pick<
    RunConfig,
    "placement" | "runnerCa" | "runners" | "runnerSecretFile"
  >
): string | undefined => {
  if (!placements[placement].otherMachines) return undefined
  const addresses = runnersOf({ runners })
  if (runners === "none") {
    return "--placement runner needs --runners, the addresses where runners listen, such as 127.0.0.1:4100."
  }
  if (runnerSecretFile === "none") {
    return "--placement runner needs --runner-secret-file, the file with the secret that the runners know."
  }
  const far = addresses.find((address) => !isLoopback(parse(address)?.host ?? ""))
  return far === undefined || runnerCa !== "none"
    ? undefined
    : `The runner at ${far} is another machine, and nothing is sent there unencrypted: --runner-ca names the certificate ` +
      "that its own comes from."
}

const hasLocalWorker = ({ envId, localWorker, placement, schedule, workers }: RunConfig): boolean =>
  placements[placement].localWorker && schedule !== "async" && workers > 1 &&
  (localWorker === "auto" ? Registry.isBuiltIn(envId) : localWorker)

/** How many threads or processes are started, and how many of them wait for another to die. */
export const hostsOf = ({ chaos, localWorker, placement, workers }: RunConfig) => ({
  hosts: placements[placement].ownHosts ? workers - (localWorker === true ? 1 : 0) : 0,
  // Where hosts are known to die, the next one is begun ahead; a runner has spares of its own.
  spares: chaos > 0 && !placements[placement].otherMachines ? 1 : 0
})

const mebibyte = 1024 * 1024

/** MiB that this program can have at most: those of the machine, or of the container it is in. */
export const memory = (): number => {
  const constrained = process.constrainedMemory()
  return Math.min(os.totalmem(), constrained > 0 ? constrained : Number.POSITIVE_INFINITY) / mebibyte
}

/** Why so many hosts cannot be, as a sentence. `available` is in MiB. */
export const problemOf = (config: RunConfig, available: number): string | undefined => {
  const { placement, workers } = config
  const { footprint, hosts: what, ownHosts } = placements[placement]
  if (!ownHosts) return undefined
  const { hosts, spares } = hostsOf(config)
  if (placements[placement].host === "thread" && hosts + spares > mostOthers) {
    return `--workers ${workers} cannot be: a thread can own ${mostOthers} others at a time. Take fewer, or --placement process.`
  }
  const needed = hosts * footprint
  if (needed <= available) return undefined
  const gibibytes = (amount: number) => (amount / 1024).toPrecision(2)
  return `--workers ${workers} cannot be: so many ${what} take about ${
    gibibytes(needed)
  } GiB of memory before they do ` +
    `anything, and there are ${gibibytes(available)}. Take fewer.`
}

/** `auto` where there is a choice: for one worker there is none, and who is to be killed must be at work. */
const placementOf = ({ chaos, envId, placement }: RunConfig, workers: number): RunConfig["placement"] => {
  if (placement !== "auto") return placement
  // Whoever takes over a world that Python has elsewhere plays its whole episode again.
  if (isGymnasium(splitReference(envId).base)) return "thread"
  if (chaos > 0) return "thread"
  if (workers > 1) return "auto"
  return Registry.isBuiltIn(envId) ? "fiber" : "thread"
}

/**
 * The configuration with as many workers as there is work for: more hosts would only sit there, and fibers share this
 * thread.
 */
export const withinWork = (config: RunConfig): RunConfig => {
  const most = Math.min(config.workers, config.nEnvs)
  const placement = placementOf(config, most)
  const settled = { ...config, placement, workers: placements[placement].ownHosts ? most : 1 }
  return { ...settled, localWorker: hasLocalWorker(settled) }
}
