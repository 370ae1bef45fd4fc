/**
 * LunarLander-v3 of Gymnasium's own package by PPO, with the settings that come with Troupe: its rate beside
 * Stable-Baselines3's with the same settings on the same environment, by turns in one run, and with `--seeds` what it learns:
 *
 *     node bench/lunar-lander.ts --python .venv-peers/bin/python            rates alone
 *     node bench/lunar-lander.ts --python ... --seeds 1..5                  and what five seeds reach in a million steps
 *
 * Needs Python with `gymnasium[box2d]`, and for the other rate `stable-baselines3`; what is missing is one line, and left out.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { ensureBuilt } from "../scripts/build.ts"
import { figure, isQuick, median, print, say } from "./report.ts"

const fromHere = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const { values } = parseArgs({
  options: {
    python: { type: "string", default: fromHere("../.venv-peers/bin/python") },
    seeds: { type: "string" },
    steps: { type: "string", default: "32768" },
    times: { type: "string", default: "3" }
  },
  strict: false
})
const python = String(values.python)
const steps = isQuick ? 16_384 : Number(values.steps)
const times = isQuick ? 1 : Number(values.times)

const has = (module: string): boolean => spawnSync(python, ["-c", `import ${module}`], { stdio: "ignore" }).status === 0

/** This program, stepping in that Python; standard output. */
const troupe = (...args: ReadonlyArray<string>): string => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-lunar-lander-"))
  try {
    return execFileSync(process.execPath, [fromHere("../dist/troupe.js"), ...args, "--log-dir", folder], {
      encoding: "utf8",
      maxBuffer: 2 ** 28,
      env: { ...process.env, TROUPE_PYTHON: python },
      stdio: ["ignore", "pipe", "inherit"]
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const lander = "gymnasium:LunarLander-v3"

/** Steps a second, the first iteration left out. */
const ourRate = (): number => {
  const total = String(steps + 16 * 256)
  const said = troupe(
    "--env-id",
    lander,
    "--algo",
    "ppo",
    "--total-timesteps",
    total,
    "--keep-going",
    "--json",
    "--log-interval",
    "1"
  )
  // What is written down every iteration, the first of which is warm-up.
  const progress = said.split("\n").filter((line) => line.startsWith(`{"event":"progress"`)).map((line) =>
    JSON.parse(line)
  )
  const [first, last] = [progress[0], progress.at(-1)]
  return (last.env_steps - first.env_steps) / (last.wall_seconds - first.wall_seconds)
}

const theirRate = (): number =>
  Number(
    execFileSync(python, [fromHere("peers/stable_baselines3_lunar_lander.py"), String(steps)], { encoding: "utf8" })
      .trim()
  )

if (!has("Box2D") || !has("gymnasium")) say(`lunar-lander: not installed: ${python} -m pip install "gymnasium[box2d]"`)
else {
  await ensureBuilt()
  const beside = has("stable_baselines3")
  if (!beside) say(`lunar-lander: not installed: ${python} -m pip install stable-baselines3`)
  const turns = Array.from({ length: times }, () => ({ ours: ourRate(), theirs: beside ? theirRate() : Number.NaN }))
  const ours = turns.map((turn) => turn.ours)
  const theirs = turns.map((turn) => turn.theirs)
  print([
    figure("LunarLander-v3", "Troupe PPO", "training, 16 environments", "/s", ours),
    ...(beside
      ? [
        figure("LunarLander-v3", "Stable-Baselines3 PPO", "training, 16 environments", "/s", theirs),
        figure("LunarLander-v3", "Troupe over Stable-Baselines3", "training, 16 environments", "x", [
          median(ours) / median(theirs)
        ])
      ]
      : [])
  ])
  if (values.seeds !== undefined) {
    const page = join(tmpdir(), `troupe-lunar-lander-${process.pid}.md`)
    say(troupe("zoo", lander, "--seed", String(values.seeds), "--total-timesteps", "1000000", "--out", page))
    rmSync(page, { force: true })
  }
}
