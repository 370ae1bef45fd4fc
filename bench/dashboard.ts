/**
 * What a dashboard costs the run that it shows: `node bench/dashboard.ts`. Pairs of runs of the same work by turns, one with a
 * dashboard that a plain client listens to, one without; processor seconds of the whole process, as it says itself at its end.
 */
import { spawn } from "node:child_process"
import * as http from "node:http"
import { ensureBuilt } from "../scripts/build.ts"
import { type Figure, figure, isQuick, print, say } from "./report.ts"
import { cli } from "./throughput.ts"

const { problems } = await ensureBuilt()
if (problems.length > 0) process.exit(1)

const pairs = isQuick ? 1 : 20
const steps = isQuick ? 20_000 : 3_000_000

/** Says at its end how much processor time it took. */
const telling = `data:text/javascript,process.on("exit",()=>{const{user,system}=process.cpuUsage();` +
  `process.stderr.write("cpu="+(user+system)/1e6)})`

/** Listens, and reads all it is told, as a browser does. Answers how many bytes that were. */
const listen = (address: string): Promise<number> =>
  new Promise((resolve) => {
    let bytes = 0
    const request = http.get(`${address}events`, (response) => {
      response.on("data", (data: Buffer) => bytes += data.length)
      response.on("close", () => resolve(bytes))
    })
    request.on("error", () => resolve(bytes))
  })

interface Measured {
  /** Processor seconds for a million steps. */
  readonly cpu: number
  /** Bytes that the client was told. */
  readonly bytes: number
}

const run = (flags: ReadonlyArray<string>): Promise<Measured> =>
  new Promise((resolve, reject) => {
    const args = [
      "--import",
      telling,
      cli,
      "train",
      "--json",
      "--no-run-folder",
      "--keep-going",
      "--evaluation",
      "solved"
    ]
    args.push("--eval-episodes", "1", "--total-timesteps", String(steps), ...flags)
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] })
    const deadline = setTimeout(() => child.kill("SIGKILL"), 120_000)
    let said = ""
    let told: Promise<number> | undefined
    let begun = ""
    child.stdout.on("data", (data: Buffer) => {
      if (told !== undefined || !flags.includes("--dashboard")) return
      begun += data.toString()
      const address = /dashboard at (http:\/\/127\.0\.0\.1:\d+\/)/.exec(begun)?.[1]
      if (address !== undefined) told = listen(address)
    })
    child.stderr.on("data", (data) => said += data)
    child.on("error", reject)
    child.on("close", (code) => {
      clearTimeout(deadline)
      const seconds = Number(/cpu=([\d.]+)/.exec(said)?.[1])
      if (code !== 0 || !Number.isFinite(seconds)) return reject(new Error(`a run ended with ${code}: ${said}`))
      const cpu = seconds / (steps / 1e6)
      void Promise.resolve(told ?? 0).then((bytes) => resolve({ cpu, bytes }))
    })
  })

const flagsOf = (placement: string) => ["--placement", placement, "--workers", placement === "thread" ? "2" : "1"]
const table = "Processor seconds for a million steps, with a dashboard that is looked at over without, pairs by turns"
const figures: Array<Figure> = []
for (const placement of ["fiber", "thread"]) {
  say(`dashboard: ${placement}`)
  const without: Array<number> = []
  const ratios: Array<number> = []
  for (let pair = 0; pair < pairs; pair++) {
    const flags = [...flagsOf(placement), "--seed", String(pair + 1)]
    const watched = ["--dashboard", ...flags]
    const measured = pair % 2 === 0 ? [await run(watched), await run(flags)] : [await run(flags), await run(watched)]
    const [seen, unseen] = pair % 2 === 0 ? measured : measured.toReversed()
    if (seen!.bytes === 0) throw new Error("nobody looked at the dashboard")
    without.push(unseen!.cpu)
    ratios.push(seen!.cpu / unseen!.cpu)
  }
  figures.push(
    figure(table, placement, "without", "s", without),
    figure(table, placement, "ratio", "x", ratios)
  )
}
print(figures)
