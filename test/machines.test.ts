/** Runs over several machines, which are runners on loopback here: the same weights, and a sentence where there is no work. */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { live, type Outcome, temporary, troupe } from "./program.ts"
import { runner } from "./runnerProcess.ts"
import { storm } from "./soak/machines.ts"

const hash = "604aa8d118c037ddc90759cd49a8b9bb85d9e78d2b5f4e12e0a99aa83908407a"

const flagsFor = (cwd: string, runners: ReadonlyArray<string>) => [
  "--placement",
  "runner",
  "--runners",
  runners.join(","),
  "--runner-secret-file",
  path.join(cwd, "secret"),
  "--json",
  "--no-run-folder"
]

const finished = ({ stderr, stdout }: Outcome): string => {
  const last = stdout.trimEnd().split("\n").at(-1) ?? ""
  assert.include(last, `"event":"finished"`, stderr)
  return last
}

describe("a run on runners", () => {
  live(
    "ends with the weights of any other run, also when a runner is killed in the middle",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const [a, b] = yield* Effect.all([runner(cwd), runner(cwd)], { concurrency: "unbounded" })
      const args = ["--n-envs", "10", "--seed", "1", ...flagsFor(cwd, [a.address, b.address])]
      const whole = finished(yield* troupe(cwd, args))
      assert.include(whole, `"weights_sha256":"${hash}"`)
      assert.include(whole, `"restarts":0`)
      let killed = false
      const disturbed = yield* troupe(cwd, args, {
        onOutput: (stdout) => {
          if (killed || !stdout.includes(`"event":"progress"`)) return
          killed = true
          a.kill("SIGKILL")
        }
      })
      const last = finished(disturbed)
      assert.isTrue(killed)
      assert.include(last, `"weights_sha256":"${hash}"`)
      assert.include(last, `"lost_steps":0`)
      assert.notInclude(last, `"restarts":0`)
    })
  )

  for (
    const [algo, more] of [["ppo", ["--n-envs", "5"]], ["impala", ["--async", "seeded", "--n-envs", "4"]]] as const
  ) {
    live(
      `is the same as in fibers: ${algo}`,
      Effect.gen(function*() {
        const cwd = yield* temporary
        const one = yield* runner(cwd)
        const args = ["--algo", algo, ...more, "--seed", "3", "--total-timesteps", "4000", "--keep-going"]
        const hashOf = (line: string) => /"weights_sha256":"(\w+)"/.exec(line)?.[1]
        const [here, there] = yield* Effect.all([
          troupe(cwd, [...args, "--placement", "fiber", "--json", "--no-run-folder"]),
          troupe(cwd, [...args, ...flagsFor(cwd, [one.address])])
        ], { concurrency: "unbounded" })
        assert.isDefined(hashOf(finished(there)))
        assert.strictEqual(hashOf(finished(there)), hashOf(finished(here)))
      })
    )
  }

  live(
    "has an environment of one's own where its runner was started with it, by its id",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const own = fileURLToPath(new URL("./runtime/fixtures/balances.ts", import.meta.url))
      const [without, with_] = yield* Effect.all([runner(cwd), runner(cwd, ["--env-id", own])], {
        concurrency: "unbounded"
      })
      const args = ["--env-id", own, "--n-envs", "2", "--total-timesteps", "400", "--keep-going"]
      const refused = yield* troupe(cwd, [...args, ...flagsFor(cwd, [without.address])])
      assert.strictEqual(refused.code, 1)
      assert.match(refused.stderr, /has no environment Balances-v0: start it with --env-id/)
      assert.notInclude(refused.stderr.trimEnd(), "\n")
      const outcome = yield* troupe(cwd, [...args, ...flagsFor(cwd, [with_.address])])
      finished(outcome)
    })
  )
})

describe("a storm", () => {
  // More of them: `node test/soak/machines.ts`.
  live(
    "of deaths, freezes, cuts, drains and newcomers changes no weight",
    Effect.map(Effect.promise(() => storm(2, 3)), ({ happened }) => assert.isAtLeast(happened.length, 1))
  )
})

describe("encrypted", () => {
  const pem = (name: string) => fileURLToPath(new URL(`./fixtures/tls/${name}.pem`, import.meta.url))

  live(
    "a run is the same; a certificate of somebody else, or none on one side, is one sentence",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const own = ["--tls-cert", pem("cert"), "--tls-key", pem("key")]
      // Beyond loopback, where it would not listen without.
      const [far, plain] = yield* Effect.all([runner(cwd, own, "0.0.0.0:0"), runner(cwd)], { concurrency: "unbounded" })
      const address = far.address.replace("0.0.0.0", "127.0.0.1")
      const args = ["--n-envs", "4", "--total-timesteps", "2000", "--keep-going"]
      const [encrypted, foreign, unencrypted] = yield* Effect.all([
        troupe(cwd, [...args, ...flagsFor(cwd, [address]), "--runner-ca", pem("cert")]),
        troupe(cwd, [...args, ...flagsFor(cwd, [address]), "--runner-ca", pem("other")]),
        troupe(cwd, [...args, ...flagsFor(cwd, [plain.address]), "--runner-ca", pem("cert")])
      ], { concurrency: "unbounded" })
      finished(encrypted)
      for (const { code, stderr } of [foreign, unencrypted]) {
        assert.match(stderr, /no encrypted connection to it can be had/)
        assert.notInclude(stderr.trimEnd(), "\n")
        assert.strictEqual(code, 1)
      }
    })
  )
})

describe("one sentence", () => {
  const failing = (name: string, more: ReadonlyArray<string>, said: RegExp, code = 1) =>
    live(
      name,
      Effect.gen(function*() {
        const cwd = yield* temporary
        const { address } = yield* runner(cwd)
        writeFileSync(path.join(cwd, "other"), "a secret that nobody else knows")
        writeFileSync(path.join(cwd, "short"), "short")
        // Flags that are given again take the place of the usual ones.
        const usual = flagsFor(cwd, [address])
        const at = usual.indexOf(more[0]!)
        const outcome = yield* troupe(cwd, [...(at < 0 ? usual : usual.toSpliced(at, 2)), ...more])
        assert.match(outcome.stderr, said)
        assert.notInclude(outcome.stderr.trimEnd(), "\n")
        assert.strictEqual(outcome.code, code)
      })
    )

  failing("says that the secret is another", ["--runner-secret-file", "other"], /its secret is another than ours/)
  failing("says that the secret is too short", ["--runner-secret-file", "short"], /shorter than 16 characters/)
  failing(
    "says that there is no such file",
    ["--runner-secret-file", "absent"],
    /with the secret cannot be read: there is no such file\.\n$/
  )
  failing("says that there is no secret", ["--runner-secret-file", "none"], /needs --runner-secret-file/, 2)
  failing(
    "says that no runner is there",
    ["--runners", "127.0.0.1:1", "--runner-deadline", "0.5"],
    /no runner was there within .*127\.0\.0\.1:1: nobody listens there/
  )
  failing(
    "says that nothing goes unencrypted to another machine",
    ["--runners", "10.0.0.1:4100"],
    /is another machine, and nothing is sent there unencrypted: --runner-ca/,
    2
  )

  live(
    "says why a runner cannot listen",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const { address } = yield* runner(cwd)
      const args = ["runner", "--secret-file", "secret"]
      const [taken, open, nonsense] = yield* Effect.all([
        troupe(cwd, [...args, "--listen", address]),
        troupe(cwd, [...args, "--listen", "0.0.0.0:0"]),
        troupe(cwd, [...args, "--listen", "everywhere"])
      ], { concurrency: "unbounded" })
      assert.match(taken.stderr, /^A runner cannot listen on .*: another program listens there; take another port/)
      assert.match(open.stderr, /^A runner cannot listen on 0\.0\.0\.0:0: beyond this machine it needs a certificate/)
      assert.match(nonsense.stderr, /^--listen must be an address such as 127\.0\.0\.1:4100/)
      assert.deepStrictEqual([taken.code, open.code, nonsense.code], [1, 1, 2])
    })
  )
})

live(
  "a runner ends with its processes when it is asked to",
  Effect.gen(function*() {
    const cwd = yield* temporary
    const one = yield* runner(cwd, ["--spares", "2"])
    one.kill("SIGTERM")
    const { code, stderr } = yield* one.ended
    assert.deepStrictEqual([code, stderr], [143, ""])
  })
)

live(
  "a runner that is drained ends, and one that is not there is one sentence",
  Effect.gen(function*() {
    const cwd = yield* temporary
    const one = yield* runner(cwd)
    const drain = (address: string) => troupe(cwd, ["runner", "drain", address, "--secret-file", "secret"])
    const drained = yield* drain(one.address)
    assert.deepStrictEqual(
      [drained.code, drained.stderr, drained.stdout],
      [0, "", `Drained ${one.address}: it has no work, and ends.\n`]
    )
    assert.strictEqual((yield* one.ended).code, 0)
    const absent = yield* drain(one.address)
    assert.deepStrictEqual(
      [absent.code, absent.stderr],
      [1, `The runner at ${one.address} was not drained: nobody listens there.\n`]
    )
    const odd = yield* troupe(cwd, ["runner", "dance", "--secret-file", "secret"])
    assert.deepStrictEqual([odd.code, odd.stderr], [2, `A runner can be told to drain, and not to "dance".\n`])
  })
)
