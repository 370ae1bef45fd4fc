/**
 * Gymnasium itself, in a Python process of ours: the numbers of our own environments, whatever is done to that process, and one
 * sentence for everything that can be wrong. Skipped where Python has no Gymnasium.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Struct } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import {
  CartPoleV1,
  Environment,
  type EnvironmentDefinition,
  FrozenLakeV1,
  loadEnvironment,
  PendulumV1,
  VectorEnvironment
} from "../../src/envs/index.ts"
import { Pcg64 } from "../../src/random/index.ts"

const python = process.env["TROUPE_PYTHON"] ?? "python3"
const installed = spawnSync(python, ["-c", "import gymnasium"], { stdio: "ignore" }).status === 0
const hasBox2d = installed && spawnSync(python, ["-c", "import Box2D"], { stdio: "ignore" }).status === 0
const fixtures = fileURLToPath(new URL("fixtures", import.meta.url))
const bridge = fileURLToPath(new URL("../../src/envs/gymnasium/bridge.py", import.meta.url))

process.env["PYTHONPATH"] = [fixtures, ...(process.env["PYTHONPATH"]?.split(":") ?? [])].join(":")
process.env["TROUPE_PYTHON_DEADLINE"] = "2"

/** The Python processes of this one. */
const children = (): ReadonlyArray<number> =>
  readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      const parent = Number(/\) \S+ (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1])
      return parent === process.pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("bridge.py")
    } catch {
      return false
    }
  })

/** What comes of random actions, resets included; `before` is called before each step. */
const play = Effect.fnUntraced(function*(
  definition: EnvironmentDefinition,
  seed: number,
  steps: number,
  before: (step: number) => void = () => {}
) {
  const env = yield* Environment.make(definition)
  const actions = definition.actionSpace.sampler(seed)
  const came: Array<unknown> = [yield* env.reset({ seed })]
  for (let step = 0; step < steps; step++) {
    before(step)
    const result = yield* env.step(actions.sample())
    came.push(Struct.omit(result, ["info"]))
    if (result.terminated || result.truncated) came.push((yield* env.reset()).observation)
  }
  return JSON.parse(JSON.stringify(came)) as unknown
})

/** Why an environment is not loaded, or cannot be played. */
const told = (reference: string, steps = 5) =>
  loadEnvironment(reference).pipe(
    Effect.flatMap((definition) => play(definition, 0, steps)),
    Effect.flip,
    Effect.map(({ message }) => message)
  )

const line = (fault: string) => `gymnasium:gymnasium_faults:Line-v0?fault=${fault}`

describe.skipIf(!installed)(installed ? "Gymnasium" : `Gymnasium (${python} has no package gymnasium)`, () => {
  for (const ours of [CartPoleV1, FrozenLakeV1, PendulumV1]) {
    it.live(`${ours.id} is ours, seed by seed`, () =>
      Effect.gen(function*() {
        const theirs = yield* loadEnvironment(`gymnasium:${ours.id}`)
        assert.strictEqual(
          `${theirs.observationSpace} ${theirs.actionSpace}`,
          `${ours.observationSpace} ${ours.actionSpace}`
        )
        assert.strictEqual(theirs.maxEpisodeSteps, ours.maxEpisodeSteps)
        assert.strictEqual(theirs.rewardThreshold, ours.rewardThreshold)
        // Sines differ in their last bits, and that grows (conformance.test.ts).
        const steps = ours === PendulumV1 ? 20 : 300
        const rounded = (value: unknown) =>
          JSON.parse(
            JSON.stringify(value, (_, entry) => typeof entry === "number" ? Number(entry.toPrecision(5)) : entry)
          )
        for (const seed of [0, 12_345]) {
          const [a, b] = [yield* play(theirs, seed, steps), yield* play(ours as EnvironmentDefinition, seed, steps)]
          assert.deepStrictEqual(rounded(a), rounded(b))
        }
      }))
  }

  it.live("steps many worlds in one go as each alone", () =>
    Effect.gen(function*() {
      const definition = yield* loadEnvironment("gymnasium:CartPole-v1")
      const vectors = [yield* VectorEnvironment.make(definition, 5), yield* VectorEnvironment.make(CartPoleV1, 5)]
      for (const vector of vectors) yield* vector.reset(3)
      const random = Pcg64.fromSeed(1)
      for (let t = 0; t < 60; t++) {
        const actions = Int32Array.from({ length: 5 }, () => random.integers(0, 2))
        for (const vector of vectors) assert.isUndefined(vector.step(actions))
        assert.deepStrictEqual(vectors[0]!.observations, vectors[1]!.observations)
        assert.deepStrictEqual(vectors[0]!.finalObservations, vectors[1]!.finalObservations)
      }
    }))

  it.live(
    "comes back from a kill, and from a stop that nobody ends, as if nothing had been",
    () =>
      Effect.gen(function*() {
        const definition = yield* loadEnvironment("gymnasium:CartPole-v1")
        const undisturbed = yield* play(definition, 7, 60)
        const disturbed = yield* play(definition, 7, 60, (step) => {
          if (step % 12 === 5) { for (const pid of children()) process.kill(pid, step === 17 ? "SIGSTOP" : "SIGKILL") }
        })
        assert.deepStrictEqual(disturbed, undisturbed)
        // Nobody is left behind: what was killed has been waited for.
        yield* Effect.sleep(50)
        for (const pid of children()) assert.notMatch(readFileSync(`/proc/${pid}/stat`, "utf8"), /\) Z/)
      }),
    20_000
  )

  it.live.skipIf(!hasBox2d)("comes back in a world that outlives its episodes", () =>
    Effect.gen(function*() {
      const definition = yield* loadEnvironment("gymnasium:BipedalWalker-v3", 300)
      const undisturbed = yield* play(definition, 1, 210)
      const disturbed = yield* play(definition, 1, 210, (step) => {
        if (step === 200) { for (const pid of children()) process.kill(pid, "SIGKILL") }
      })
      assert.deepStrictEqual(disturbed, undisturbed)
    }), 20_000)

  it.live("goes back to a snapshot, and in the wrappers too", () =>
    Effect.gen(function*() {
      for (
        const reference of [
          "gymnasium:FrozenLake-v1",
          "gymnasium:CartPole-v1?wrap=frame-stack:2&wrap=sticky-action:0.3"
        ]
      ) {
        const env = yield* Environment.make(yield* loadEnvironment(reference))
        yield* env.reset({ seed: 2 })
        yield* env.step(1)
        const snapshot = yield* env.snapshot()
        const on = Effect.forEach([0, 1, 1, 0], (action) => env.step(action))
        const once = yield* on
        yield* env.restore(snapshot)
        assert.deepStrictEqual(yield* on, once)
      }
    }))

  it.live("takes keyword options, limits, and modules that are named", () =>
    Effect.gen(function*() {
      const definition = yield* loadEnvironment("gymnasium:gymnasium_faults:Line-v0?fault=prints", 7)
      assert.strictEqual(definition.maxEpisodeSteps, 7)
      assert.strictEqual(definition.rewardThreshold, 15)
      const env = yield* Environment.make(definition)
      yield* env.reset({ seed: 0 })
      const steps = yield* Effect.forEach([0, 1, 0, 1, 0, 1, 0], (action) => env.step(action))
      assert.deepStrictEqual(steps.map(({ observation }) => Number(Array.from(observation as Float32Array)[0])), [
        1,
        2,
        3,
        4,
        5,
        6,
        7
      ])
      assert.deepStrictEqual(steps.map(({ truncated }) => truncated).indexOf(true), 6)
      assert.deepStrictEqual(steps[3]!.info, { at: 4 })
    }))

  it.live("says in one sentence what an environment did that it must not do", () =>
    Effect.gen(function*() {
      for (
        const [fault, said] of [
          [
            "raises",
            /failed at step 3 of its episode: its step raised ValueError: no such wall \(at .*gymnasium_faults\.py:\d+\)\.$/
          ],
          ["nan", /failed at step 3 .*observation\[0\] is NaN/],
          ["flag", /failed at step 3 .*terminated is 1, where True or False belongs/],
          ["reward", /failed at step 3 .*the reward is 'much', which is no number/],
          ["shape", /failed at step 3 .*its observation is no Box/],
          ["hangs", /failed at step 3 .*lost, 2 times in a row: it gave no answer within 2 s/],
          ["dies", /failed at step 3 .*lost, 10 times in a row: it ended/]
        ] as const
      ) assert.match(yield* told(line(fault)), said)
    }), 60_000)

  it.live("says where an episode cannot be played again", () =>
    Effect.gen(function*() {
      const killed = (reference: string, steps: number) =>
        loadEnvironment(reference).pipe(
          Effect.flatMap((definition) =>
            play(definition, 0, steps, (step) => {
              if (step === steps - 1) { for (const pid of children()) process.kill(pid, "SIGKILL") }
            })
          ),
          Effect.flip,
          Effect.map(({ message }) => message)
        )
      assert.match(yield* killed(line("forgets"), 4), /does not depend on its seed and its actions alone/)
      assert.match(
        yield* killed("gymnasium:gymnasium_faults:Endless-v0", 10_003),
        /an episode of 10002 steps is longer than the 10000 .*--episode-limit/
      )
    }), 30_000)

  it.live("ends what takes more memory than it may", () =>
    Effect.gen(function*() {
      process.env["TROUPE_PYTHON_MEMORY"] = "600"
      yield* Effect.addFinalizer(() => Effect.sync(() => delete process.env["TROUPE_PYTHON_MEMORY"]))
      assert.match(yield* told(line("eats")), /its step takes more memory than it may \(TROUPE_PYTHON_MEMORY, in MiB\)/)
    }).pipe(Effect.scoped))

  it.live("says what is not there", () =>
    Effect.gen(function*() {
      assert.match(
        yield* told("gymnasium:CartPoll-v1"),
        /Gymnasium [\d.]+ has no CartPoll-v1: .*Did you mean: `CartPole`/
      )
      assert.match(yield* told("gymnasium:CartPole-v7"), /Gymnasium [\d.]+ has no CartPole-v7: /)
      assert.match(yield* told("gymnasium:no_such_module:Maze-v0"), /its module no_such_module cannot be imported/)
      assert.match(yield* told("gymnasium:CartPole-v1?color=red"), /making it raised TypeError: .*color/)
      assert.match(yield* told("gymnasium:CartPole-v1?wrap=nonsense"), /none of that name/)
    }))
})

describe("without Gymnasium", () => {
  const withPython = <A, E>(lines: string, use: Effect.Effect<A, E>) =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "python-"))
      const before = process.env["TROUPE_PYTHON"]
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          rmSync(folder, { recursive: true, force: true })
          if (before === undefined) delete process.env["TROUPE_PYTHON"]
          else process.env["TROUPE_PYTHON"] = before
        })
      )
      writeFileSync(join(folder, "python"), `#!/bin/sh\n${lines}\n`, { mode: 0o755 })
      process.env["TROUPE_PYTHON"] = join(folder, "python")
      return yield* use
    }).pipe(Effect.scoped)

  // Each reference once: what is loaded stays.
  it.live("says which Python, and what to install", () =>
    withPython(`exec ${python} -I -S "$@"`, told("gymnasium:A-v0")).pipe(
      Effect.map((said) => assert.match(said, /has no package (gymnasium|numpy): run .* -m pip install gymnasium\.$/))
    ))

  it.live("says where there is no Python, or one that does not begin", () =>
    Effect.gen(function*() {
      const nowhere = withPython(
        "",
        Effect.suspend(() => {
          process.env["TROUPE_PYTHON"] = "/nowhere/python"
          return told("gymnasium:B-v0")
        })
      )
      assert.match(yield* nowhere, /\/nowhere\/python cannot be started/)
      assert.match(
        yield* withPython("echo something is wrong >&2; exit 9", told("gymnasium:C-v0")),
        /did not begin: it ended with exit code 9; its last words: something is wrong/
      )
    }))

  it("refuses another version of the bridge, and a Python that is too old", () => {
    const folder = mkdtempSync(join(tmpdir(), "bridge-"))
    const problem = (...args: ReadonlyArray<string>) => {
      assert.throws(() => execFileSync(python, args, { stdio: "ignore" }))
      return readFileSync(join(folder, "problem"), "utf8")
    }
    try {
      assert.match(problem(bridge, "999", folder, "0"), /is of version 1 and the program wants 999/)
      const old =
        `import sys, runpy; sys.version_info = (3, 9); sys.argv = ["", "1", ${JSON.stringify(folder)}, "0"]; ` +
        `runpy.run_path(${JSON.stringify(bridge)}, run_name="__main__")`
      assert.match(problem("-c", old), /is Python 3\.9, and Gymnasium wants 3\.10 or newer/)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
