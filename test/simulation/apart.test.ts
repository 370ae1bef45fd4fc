/** Hosts that share no memory, in processes and on runners: the result of one host, whatever befalls them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import Phold from "../../examples/simulations/phold.ts"
import { apart } from "../../src/simulation/hosts/Exchange.ts"
import { HostShares } from "../../src/simulation/hosts/HostShares.ts"
import { Simulation } from "../../src/simulation/index.ts"
import type { AnyModel } from "../../src/simulation/Model.ts"
import { stateSha256 } from "../../src/simulation/stateHash.ts"
import { live, type Outcome, temporary, troupe } from "../program.ts"
import { runner } from "../runnerProcess.ts"
import Crowd from "./fixtures/crowd.ts"
import Town from "./fixtures/town.ts"

const phold = fileURLToPath(new URL("../../examples/simulations/phold.ts", import.meta.url))

/** Runs a model on hosts of this thread that tell each other by bytes alone; answers the hash of what they come to. */
const byBytes = (model: AnyModel, hosts: number, until: number): string => {
  const all = Array.from(
    { length: hosts },
    (_, host) => new HostShares(model, { seed: 1, config: {}, host, memory: apart(hosts) })
  )
  for (let window = 0;; window++) {
    const told = all.map((host) => host.tell())
    // The bytes are all that crosses.
    const sent = structuredClone(told)
    const progress = all.map((host, i) => host.hear(sent.map((by) => by[i]!), false, until, false))
    assert.strictEqual(new Set(progress).size, 1)
    if (progress[0] !== "running") break
  }
  const digests = all.flatMap(({ outcome }) => outcome.shares.map(({ digest }) => digest))
  return stateSha256(model, until, digests.toSorted((a, b) => a.share - b.share))
}

describe("hosts that share no memory", () => {
  it("tell each other all there is by bytes, more than a box has room for too", () => {
    for (const [model, until] of [[Crowd, 3], [Town, 8], [Phold, 3]] as const) {
      const alone = Simulation.runSync<unknown>(model, { seed: 1, until }).stateSha256
      for (const hosts of [1, 2, 3]) {
        assert.strictEqual(byBytes(model, Math.min(hosts, model.shares), until), alone, `${model.modelName} ${hosts}`)
      }
    }
  })

  it.live("are processes, that die amid their work", () =>
    Effect.gen(function*() {
      const town = { seed: 4, until: 12 }
      const result = yield* Simulation.run(Town, { ...town, hosts: 2, placement: "process", chaos: 1 })
      assert.strictEqual(result.stateSha256, Simulation.runSync(Town, town).stateSha256)
      assert.strictEqual(result.hosts, 2)
    }), 60_000)

  const last = ({ code, stderr, stdout }: Outcome): Record<string, unknown> => {
    assert.strictEqual(code, 0, stderr)
    return JSON.parse(stdout.trim().split("\n").at(-1)!) as Record<string, unknown>
  }

  live(
    "are on runners, one of which is killed",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const [one, two] = yield* Effect.all([
        runner(cwd, ["--simulation", phold]),
        runner(cwd, ["--simulation", phold])
      ], { concurrency: "unbounded" })
      const args = ["simulate", phold, ..."--seed 1 --until 30 --set processes=200 --every 1 --json".split(" ")]
      const alone = last(yield* troupe(cwd, [...args, "--no-run-folder"]))
      const on = (
        addresses: string
      ) => ["--placement", "runner", "--runners", addresses, "--runner-secret-file", "secret"]
      const killed = yield* troupe(
        cwd,
        [...args, "--hosts", "2", ...on(`${one!.address},${two!.address}`)],
        {
          onOutput: (stdout) => {
            if (stdout.split(`"event":"series"`).length > 4) two!.kill("SIGKILL")
          }
        }
      )
      const outcome = last(killed)
      assert.strictEqual(outcome["state_sha256"], alone["state_sha256"])
      assert.strictEqual(outcome["events"], alone["events"])
      assert.isAbove(Number(outcome["restarts"]), 0)
      // Of many runs each host has whole ones.
      const many = ["simulate", phold, "--replications", "3", "--until", "5", "--no-run-folder", "--json"]
      assert.strictEqual(
        last(yield* troupe(cwd, [...many, "--hosts", "2", ...on(one!.address)]))["state_sha256"],
        last(yield* troupe(cwd, many))["state_sha256"]
      )
    })
  )

  live(
    "say in one sentence what keeps them from runners",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const { address } = yield* runner(cwd)
      const base = ["simulate", phold, "--placement", "runner", "--no-run-folder"]
      const secret = ["--runner-secret-file", "secret"]
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
        [base, /^--placement runner needs --runners, the addresses [^\n]*\.\n$/],
        [[...base, "--runners", address], /^--placement runner needs --runner-secret-file[^\n]*\.\n$/],
        [[...base, "--runners", "here", ...secret], /^--runners must be addresses [^\n]*"here" is none\.\n$/],
        [
          [...base, "--runners", "10.0.0.5:4100", ...secret],
          /^The runner at 10\.0\.0\.5:4100 is another machine[^\n]*\.\n$/
        ],
        [[...base, "--runners", "cluster", ...secret], /^--runners cluster goes with --cluster[^\n]*\.\n$/],
        [
          [...base, "--runners", address, ...secret, "--cluster", "sqlite:c.db"],
          /^--cluster goes with --runners cluster[^\n]*\.\n$/
        ],
        [["simulate", phold, ...secret], /^--runner-secret-file goes with --placement runner\.\n$/],
        [
          [...base, "--runners", address, ...secret],
          /it has no simulation PHOLD: start it with --simulation [^\n]*\)\n$/
        ]
      ]
      for (const [args, said] of cases) {
        const { code, stderr } = yield* troupe(cwd, args)
        assert.strictEqual(code, /^\^--runners cluster|^it has/.test(said.source) ? 1 : 2)
        assert.match(stderr, said)
      }
    })
  )
})
