/** The verb `zoo`: trains on several seeds, stands beside others, writes the page, and goes on after an interruption. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import type { Finished } from "../src/runtime/monitoring/RunEvent.ts"
import { comparison, entriesOf, page, usualIds, verdicts, type ZooRow } from "../src/runtime/sweeps/zoo.ts"
import { live, temporary, troupe } from "./program.ts"

const finished = (seed: number): Finished => ({
  event: "finished",
  env_steps: 20_000,
  updates: 1,
  episodes: 1,
  solved: true,
  train20: 90,
  eval_mean: null,
  weights_sha256: String(seed).repeat(64),
  restarts: 0,
  lost_steps: 0,
  wall_seconds: 1,
  startup_seconds: 0.1,
  steps_per_second: 1,
  seed,
  device: "cpu"
})

const row = (steps: number, returns: ReadonlyArray<number>): ZooRow => ({
  envId: "MountainCarContinuous-v0",
  algo: "ppo",
  steps,
  runs: returns.map((mean, i) => ({
    name: `seed=${i}`,
    folder: null,
    finished: finished(i + 1),
    evaluation: { episodes: 100, mean, std: 0 }
  }))
})

describe("zoo", () => {
  it("trains for as many steps as each row of others took", () => {
    assert.includeMembers([...usualIds], [
      "CartPole-v1",
      "Acrobot-v1",
      "MountainCar-v0",
      "MountainCarContinuous-v0",
      "Pendulum-v1"
    ])
    assert.deepStrictEqual(entriesOf("CartPole-v1"), [
      { envId: "CartPole-v1", algo: "a2c", steps: 500_000 },
      { envId: "CartPole-v1", algo: "ppo", steps: 100_000 }
    ])
    // The same run stands beside two rows.
    assert.deepStrictEqual(entriesOf("MountainCar-v0").map(({ algo, steps }) => [algo, steps]), [
      ["ppo", 1_000_000],
      ["ppo", 500_000]
    ])
  })

  it("calls a row met by what took no more steps alone", () => {
    const rows = [row(20_000, [80, 90, 90, 100]), row(100_000, [95, 95, 95, 95])]
    const peer = { who: "RL Zoo PPO", mean: 88.3, steps: 20_000 } as const
    assert.isTrue(comparison(peer.who, peer, rows) === undefined)
    const found = comparison("MountainCarContinuous-v0", peer, rows)!
    assert.strictEqual(found.mean, 90)
    assert.isTrue(found.met)
    assert.isFalse(comparison("MountainCarContinuous-v0", { ...peer, mean: 91 }, rows)!.met)
    assert.isUndefined(comparison("MountainCarContinuous-v0", { ...peer, steps: 19_999 }, rows))
    const text = page(rows, 100, "")
    for (const said of [...verdicts(rows).flat(), "1".repeat(64), "| MountainCarContinuous-v0 | ppo | 20,000 | 4 |"]) {
      assert.include(text, said)
    }
  })

  live(
    "writes the page, from the runs that it finds too",
    Effect.gen(function*() {
      const cwd = yield* temporary
      const fs = yield* FileSystem.FileSystem
      const first = yield* troupe(cwd, [
        "zoo",
        "CartPole-v1",
        "--seed",
        "1..2",
        "--total-timesteps",
        "1050",
        "--episodes",
        "3"
      ])
      assert.strictEqual(first.code, 0, first.stderr)
      const [folder] = yield* fs.readDirectory(`${cwd}/runs`)
      const written = yield* fs.readFileString(`${cwd}/zoo.md`)
      assert.match(written, /\| CartPole-v1 \| a2c \| 1,050 \| 2 \|/)
      // Whole iterations of 200 rows.
      assert.match(written, /\| CartPole-v1 \| ppo \| 1,000 \| 2 \|/)
      yield* fs.writeFileString(`${cwd}/again.md`, `${written}\n## Remarks\n\nBy hand.\n`)
      const again = yield* troupe(cwd, ["zoo", "--resume", `runs/${folder}`, "--out", "again.md", "--episodes", "3"])
      assert.strictEqual(again.code, 0, again.stderr)
      const remarked = written.replace("## Every run", "## Remarks\n\nBy hand.\n\n## Every run")
      assert.strictEqual(yield* fs.readFileString(`${cwd}/again.md`), remarked)
      const [, hash] = /\| CartPole-v1 \| a2c \| 1,050 \| 2 \| [^|]+ \| `([0-9a-f]{64})`/.exec(written) ?? []
      const alone = [
        "--algo",
        "a2c",
        "--total-timesteps",
        "1050",
        "--keep-going",
        "--seed",
        "2",
        "--json",
        "--run-folder",
        "false"
      ]
      const { stdout } = yield* troupe(cwd, alone)
      assert.strictEqual(JSON.parse(stdout.trim().split("\n").at(-1)!).weights_sha256, hash)
      const unknown = yield* troupe(cwd, ["zoo", "CartPoll-v1"])
      assert.match(unknown.stderr, /^There is no environment "CartPoll-v1"\. Did you mean "CartPole-v1"\?\n$/)
      assert.strictEqual(unknown.code, 2)
    })
  )

  live(
    "has a page of which a row can be made again",
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const page = yield* fs.readFileString("docs/zoo.md")
      const [, steps, hash] =
        /\| MountainCarContinuous-v0 \| ppo \| (19,\d+) \| 6 \| [^|]+ \| `([0-9a-f]{64})`/.exec(page) ?? []
      const flags = "--env-id MountainCarContinuous-v0 --algo ppo --keep-going --seed 6 --json --run-folder false"
      const { code, stderr, stdout } = yield* troupe(yield* temporary, [
        ...flags.split(" "),
        "--total-timesteps",
        String(steps).replace(",", "")
      ])
      assert.strictEqual(code, 0, stderr)
      assert.strictEqual(JSON.parse(stdout.trim().split("\n").at(-1)!).weights_sha256, hash)
    })
  )
})
