/**
 * Storms: a run on three runners of loopback, while these are killed, frozen, cut off, restarted, drained and started late, by
 * a seed. It must end with the weights of a run that nobody disturbs, and no step lost.
 *
 *     node test/soak/machines.ts --seeds 0..49
 *
 * What happens is drawn from the seed; when it hits is up to the machine. The first failure ends it, with its seed.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { ensureBuilt } from "../../scripts/build.ts"
import { Pcg64 } from "../../src/random/Pcg64.ts"
import { cable } from "../actors/fixtures/cable.ts"

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url))

/** A run of a second or so, where nothing befalls it. */
const flags = "--n-envs 6 --seed 1 --keep-going --total-timesteps 100000 --eval-episodes 1 --no-run-folder --json"
  .split(" ")

const finishedOf = (args: ReadonlyArray<string>, millis: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...flags, ...args], { stdio: ["ignore", "pipe", "pipe"] })
    let stdout = ""
    let stderr = ""
    const timer = setTimeout(() => child.kill("SIGKILL"), millis)
    child.stdout.on("data", (chunk) => stdout += chunk)
    child.stderr.on("data", (chunk) => stderr += chunk)
    child.on("close", (code) => {
      clearTimeout(timer)
      const last = stdout.trimEnd().split("\n").at(-1) ?? ""
      if (code === 0 && last.includes(`"event":"finished"`)) resolve(last)
      else reject(new Error(`the run ended with ${code}: ${stderr} ${last.slice(0, 300)}`))
    })
  })

const hashOf = (finished: string): string => /"weights_sha256":"(\w+)"/.exec(finished)?.[1] ?? "none"

let undisturbed: Promise<string> | undefined

const childrenOf = (pid: number): ReadonlyArray<number> => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** A machine behind a cable, which keeps its address whatever runs there. */
const machine = async (secretFile: string) => {
  let child: ChildProcess | undefined
  let port = 1
  const wire = await cable(() => port)
  const start = async (): Promise<void> => {
    if (child !== undefined) return
    const args = ["runner", "--listen", "127.0.0.1:0", "--secret-file", secretFile, "--json"]
    const started = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "ignore"] })
    child = started
    started.on("exit", () => {
      if (child === started) child = undefined
    })
    await new Promise<void>((resolve) => {
      let said = ""
      started.on("exit", () => resolve())
      started.stdout.on("data", (chunk) => {
        said += chunk
        const found = /"listening":"127\.0\.0\.1:(\d+)"/.exec(said)?.[1]
        if (found === undefined) return
        port = Number(found)
        resolve()
      })
    })
  }
  /** The runner alone, or with its children. */
  const signal = (name: NodeJS.Signals, all: boolean): void => {
    const pid = child?.pid
    if (pid === undefined) return
    for (const one of all ? [pid, ...childrenOf(pid)] : [pid]) {
      try {
        process.kill(one, name)
      } catch {
        // It is gone.
      }
    }
  }
  return {
    wire,
    start,
    signal,
    address: `127.0.0.1:${wire.port}`,
    drain: () =>
      new Promise<void>((resolve) => {
        const args = ["runner", "drain", `127.0.0.1:${port}`, "--secret-file", secretFile]
        const asking = spawn(process.execPath, [cli, ...args], { stdio: "ignore" })
        const timer = setTimeout(() => asking.kill("SIGKILL"), 3000)
        asking.on("exit", () => {
          clearTimeout(timer)
          resolve()
        })
      }),
    end: () => {
      signal("SIGKILL", true)
      wire.close()
    }
  }
}

const happenings = ["kill", "kill all", "freeze", "cut", "drain", "join"] as const

/**
 * A storm of a seed, of so many happenings at most; answers what happened, and fails where the run does not end as if nothing
 * had.
 */
export const storm = async (
  seed: number,
  most = 20
): Promise<{ readonly happened: ReadonlyArray<string>; readonly restarts: number }> => {
  const wanted = await (undisturbed ??= finishedOf(["--placement", "fiber"], 60_000).then(hashOf))
  const random = Pcg64.fromSeed([seed, 21])
  const folder = mkdtempSync(path.join(tmpdir(), "troupe-storm-"))
  const secretFile = path.join(folder, "secret")
  writeFileSync(secretFile, "a secret of this storm\n")
  const machines = await Promise.all([machine(secretFile), machine(secretFile), machine(secretFile)])
  const happened: Array<string> = []
  try {
    await Promise.all(machines.slice(0, 2).map(({ start }) => start()))
    const state = { over: false }
    const run = finishedOf([
      "--placement",
      "runner",
      "--runners",
      machines.map(({ address }) => address).join(","),
      "--runner-secret-file",
      secretFile,
      "--workers",
      "3",
      "--runner-lease",
      "0.5"
    ], 120_000).finally(() => {
      state.over = true
    })
    // Whatever comes of it is asked for below.
    run.catch(() => {})
    while (!state.over && happened.length < most) {
      await sleep(random.integers(100, 700))
      if (state.over) break
      const what = happenings[random.integers(0, happenings.length)]!
      const which = random.integers(0, machines.length)
      const one = machines[which]!
      happened.push(`${what} ${which}`)
      switch (what) {
        case "kill":
          one.signal("SIGKILL", false)
          break
        case "kill all":
          one.signal("SIGKILL", true)
          break
        case "freeze":
          one.signal("SIGSTOP", true)
          await sleep(random.integers(100, 1500))
          one.signal("SIGCONT", true)
          break
        case "cut":
          one.wire.cut()
          await sleep(random.integers(100, 1500))
          one.wire.mend()
          break
        case "drain":
          await one.drain()
          break
        case "join":
          await one.start()
          break
        default:
          what satisfies never
      }
      // Somebody is always there again before long.
      if (random.integers(0, 2) === 0) await machines[random.integers(0, machines.length)]!.start()
    }
    await Promise.all(machines.map(({ start }) => start()))
    const finished = await run
    const said = happened.join(", ")
    if (hashOf(finished) !== wanted) {
      throw new Error(`seed ${seed}: another hash, ${finished.slice(-400)} after ${said}`)
    }
    if (!finished.includes(`"lost_steps":0`)) throw new Error(`seed ${seed}: steps were lost after ${said}`)
    return { happened, restarts: Number(/"restarts":(\d+)/.exec(finished)?.[1]) }
  } catch (error) {
    throw new Error(`seed ${seed}, after ${happened.join(", ")}`, { cause: error })
  } finally {
    for (const { end } of machines) end()
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { seeds: { type: "string", default: "0..49" } } })
  const [first = 0, last = first] = values.seeds.split("..").map(Number)
  await ensureBuilt()
  for (let seed = first; seed <= last; seed++) {
    const began = performance.now()
    const { happened, restarts } = await storm(seed)
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    console.log(
      `seed ${seed}: ${seconds} s, ${restarts} restarts, ${happened.length} happenings: ${happened.join(", ")}`
    )
  }
}
