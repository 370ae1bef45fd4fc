/**
 * Makes `dist/`: the WebAssembly kernels, the bundled entries, the library, its type declarations.
 *
 *     node scripts/build.ts             builds everything
 *     node scripts/build.ts --ensure    builds what runs (all but the declarations), and only where it is missing or stale
 *
 * Stale is decided by contents, not by dates: `dist/build.json` keeps a fingerprint of the sources. The same fingerprint
 * is compiled into every bundle as `__BUILD_ID__`, so that threads made from different builds notice.
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { readFile } from "node:fs/promises"
import * as path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import type { InputOptions, OutputOptions, RolldownOutput } from "rolldown"
import * as sources from "../src/sources.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const dist = path.join(root, "dist")
const at = (...parts: ReadonlyArray<string>) => path.join(root, ...parts)

/** What `dist/build.json` says of the build beside it. */
interface BuildRecord {
  /** The sources it was made from; also `__BUILD_ID__` in its bundles. */
  readonly fingerprint: string
  /** The kernels' sources, compiler and flags: they are compiled again only when these change. */
  readonly kernels: string
  /** Whether the type declarations were made too. */
  readonly types: boolean
}

/** What a build did. */
export interface BuildReport {
  readonly fingerprint: string
  /** Nothing had to be done. */
  readonly fresh: boolean
  /** Parts that could not be built, and why. Empty when all is well. */
  readonly problems: ReadonlyArray<string>
}

// ---------------------------------------------------------------------------------------------------- fingerprints

/** The fingerprint of everything a build is made from. A few milliseconds. */
export const fingerprint = (): string => sources.fingerprint(root)

const kernelSources = at("src", "model", "kernels", "assembly")

// Any shared memory of up to 4 GiB can be imported: the maximum declared here only bounds it. No relaxed SIMD: its results
// depend on the processor.
const ascFlags = [
  "-O3",
  "--noAssert",
  "--runtime",
  "stub",
  "--importMemory",
  "--sharedMemory",
  "--initialMemory",
  "1",
  "--maximumMemory",
  "65536",
  "--enable",
  "threads",
  "--enable",
  "simd"
]

const kernelFingerprint = (): string =>
  sources.hashOf(
    root,
    sources.filesUnder(kernelSources),
    ...ascFlags,
    readVersion(at("node_modules", "assemblyscript", "package.json"))
  )

const readVersion = (file: string): string => {
  const parsed: unknown = JSON.parse(fs.readFileSync(file, "utf8"))
  return typeof parsed === "object" && parsed !== null && "version" in parsed ? String(parsed.version) : "unknown"
}

const recordOf = (): BuildRecord | undefined => {
  try {
    const parsed: unknown = JSON.parse(fs.readFileSync(path.join(dist, "build.json"), "utf8"))
    if (typeof parsed !== "object" || parsed === null) return undefined
    if (!("fingerprint" in parsed && "kernels" in parsed && "types" in parsed)) return undefined
    const { fingerprint, kernels, types } = parsed
    return typeof fingerprint === "string" && typeof kernels === "string"
      ? { fingerprint, kernels, types: types === true }
      : undefined
  } catch {
    return undefined
  }
}

// ----------------------------------------------------------------------------------------------------------- parts

const compileKernels = async (out: string): Promise<void> => {
  const { default: asc } = await import("assemblyscript/asc")
  let wasm: Uint8Array | undefined
  const { error, stderr } = await asc.main(
    [
      path.relative(root, path.join(kernelSources, "index.ts")),
      "--outFile",
      "kernels.wasm",
      "--baseDir",
      root,
      ...ascFlags
    ],
    {
      readFile: (name, base) => {
        const file = path.join(base, name)
        return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : null
      },
      writeFile: (_name, contents) => {
        if (typeof contents !== "string") wasm = contents
      }
    }
  )
  if (error !== null || wasm === undefined) throw new Error(`the kernels do not compile: ${stderr.toString()}`)
  fs.writeFileSync(path.join(out, "kernels.wasm"), wasm)
}

const optional = [/^@tensorflow\//, /^@huggingface\//, /^echarts/, /^hyparquet/]

interface Bundle {
  /** Sources by the names of their bundles. */
  readonly entries: Readonly<Record<string, string>>
  /** What stays outside. */
  readonly external: ReadonlyArray<RegExp>
  /** Whether all must be one file. */
  readonly oneFile: boolean
  readonly platform?: "browser"
}

const bundles: ReadonlyArray<Bundle> = [
  { entries: { cli: "src/cli.ts", troupe: "src/bin.ts" }, external: optional, oneFile: false },
  // What the dashboard's page runs, in a browser.
  {
    entries: { dashboard: "src/runtime/dashboard/page/main.ts" },
    external: [],
    oneFile: true,
    platform: "browser"
  },
  { entries: { host: "src/runtime/host.ts" }, external: optional, oneFile: true },
  { entries: { simulationHost: "src/simulation/hosts/host.ts" }, external: optional, oneFile: true },
  { entries: { runnerHost: "src/runtime/simulations/runnerHost.ts" }, external: optional, oneFile: true },
  {
    entries: {
      index: "src/index.ts",
      actors: "src/actors/index.ts",
      envs: "src/envs/index.ts",
      model: "src/model/index.ts",
      random: "src/random/index.ts",
      simulation: "src/simulation/index.ts",
      testing: "src/testing/index.ts",
      testingVitest: "src/testing/vitest.ts",
      effectVersion: "src/effectVersion.ts"
    },
    external: [...optional, /^effect/, /^@effect\//, /^vitest$/],
    oneFile: false
  }
]

/** The entries of a group whose sources exist, with the path of each. */
const inputOf = ({ entries }: Bundle): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(entries).map(([name, file]) => [name, at(file)] as const).filter(([, file]) => fs.existsSync(file))
  )

/** Bundles one group; answers nothing to do where none of its sources exist. */
const bundle = async (group: Bundle, id: string, out: string): Promise<void> => {
  const { external, oneFile, platform = "node" } = group
  const input = inputOf(group)
  const names = Object.keys(input)
  if (names.length === 0) return
  const { rolldown } = await import("rolldown")
  const inputOptions: InputOptions = {
    cwd: root,
    input,
    platform,
    external: [...external],
    transform: { define: { __BUILD_ID__: JSON.stringify(id) } },
    // Sources import one another by paths, our own package by none.
    tsconfig: false,
    logLevel: "silent"
  }
  // All in one folder: `import.meta.url` then leads from any of the files to those beside it, such as kernels.wasm.
  const output: OutputOptions = {
    dir: out,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: `${names[0]}-[name]-[hash].js`,
    comments: { legal: true, annotation: true, jsdoc: false },
    // Every thread and process reads the one file anew, so it is small: names stay, for traces.
    ...(oneFile ? { codeSplitting: false, minify: { compress: true, mangle: false, codegen: true } } : {})
  }
  const build = await rolldown(inputOptions)
  try {
    const { output: written } = await build.write(output)
    if (names.includes(versionCheck)) guard(written, out)
  } finally {
    await build.close()
  }
}

/** The entry that asks for the right Effect. */
const versionCheck = "effectVersion"

/**
 * Writes the files that `import` and `require` of the package lead to, where an entry stands on Effect: each asks for the
 * right one, then loads the entry. A module with the imports of the entry itself would fail before its first line.
 */
const guard = (written: RolldownOutput["output"], out: string) => {
  const chunks = new Map(written.flatMap((file) => file.type === "chunk" ? [[file.fileName, file]] : []))
  const standsOnEffect = (file: string): boolean =>
    chunks.get(file)?.imports.some(standsOnEffect) ?? file.startsWith("effect/")
  for (const { exports, fileName, isEntry, name } of chunks.values()) {
    if (!isEntry || !standsOnEffect(fileName)) continue
    const names = exports.toSorted().join(", ")
    fs.writeFileSync(
      path.join(out, `${name}.import.js`),
      `import { requireEffect } from "./${versionCheck}.js"\nrequireEffect()\n` +
        `export const { ${names} } = await import("./${fileName}")\n`
    )
    fs.writeFileSync(
      path.join(out, `${name}.require.cjs`),
      `require("./${versionCheck}.js").requireEffect()\nmodule.exports = require("./${fileName}")\n`
    )
  }
}

/** What is no JavaScript, and lies beside it as it is. */
const copied = () =>
  [
    at("src", "envs", "gymnasium", "bridge.py"),
    ...["dashboard.html", "dashboard.css"].map((name) => at("src", "runtime", "dashboard", "page", name))
  ].filter((file) => fs.existsSync(file))

const declareTypes = (out: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const tsc = spawn(
      process.execPath,
      [
        at("node_modules", "typescript", "bin", "tsc"),
        "-p",
        at("tsconfig.build.json"),
        "--outDir",
        path.join(out, "types")
      ],
      { cwd: root, stdio: ["ignore", "pipe", "pipe"] }
    )
    let said = ""
    tsc.stdout.on("data", (text) => said += text)
    tsc.stderr.on("data", (text) => said += text)
    tsc.on("error", reject)
    tsc.on("close", (code) => code === 0 ? resolve() : reject(new Error(said.trim())))
  })

// ----------------------------------------------------------------------------------------------------- the whole

const lockFolder = path.join(dist, ".lock")
/** A build takes seconds; a lock older than this was left by a process that died. */
const lockDeadline = 60_000

/** Takes the lock, or waits until somebody else's build is over and answers false. */
const lock = async (): Promise<boolean> => {
  fs.mkdirSync(dist, { recursive: true })
  let waited = false
  while (true) {
    try {
      fs.mkdirSync(lockFolder)
      fs.writeFileSync(path.join(lockFolder, "pid"), String(process.pid))
      return !waited
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause
    }
    waited = true
    if (abandoned()) {
      // Of several who see this, one succeeds in renaming it.
      const grave = `${lockFolder}-${process.pid}`
      try {
        fs.renameSync(lockFolder, grave)
        fs.rmSync(grave, { recursive: true, force: true })
      } catch {
        // Somebody else was first.
      }
    }
    await sleep(50)
  }
}

const unlock = () => fs.rmSync(lockFolder, { recursive: true, force: true })

const abandoned = (): boolean => {
  try {
    if (Date.now() - fs.statSync(lockFolder).mtimeMs > lockDeadline) return true
    const pid = Number(fs.readFileSync(path.join(lockFolder, "pid"), "utf8"))
    return pid > 0 && !isAlive(pid)
  } catch {
    return false
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM"
  }
}

const describeFault = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

/** Builds into a folder of its own, then moves file by file; `build.json` last, so that what it speaks of is there. */
const buildAll = async (id: string, types: boolean): Promise<BuildReport> => {
  const building = path.join(dist, ".building")
  fs.rmSync(building, { recursive: true, force: true })
  fs.mkdirSync(building, { recursive: true })
  const kernels = kernelFingerprint()
  const keepKernels = recordOf()?.kernels === kernels && fs.existsSync(path.join(dist, "kernels.wasm"))
  const problems: Array<string> = []
  const part = (name: string, work: Promise<void>) =>
    work.catch((cause: unknown) => {
      problems.push(`${name}: ${describeFault(cause)}`)
    })
  for (const file of copied()) fs.copyFileSync(file, path.join(building, path.basename(file)))
  // The bundler and the type checker work in threads and processes of their own; the kernels' compiler here.
  await Promise.all([
    ...(types ? [part("types", declareTypes(building))] : []),
    ...bundles.map((group) => part(Object.keys(inputOf(group)).join(", "), bundle(group, id, building))),
    ...(keepKernels ? [] : [part("kernels", compileKernels(building))])
  ])
  const made = new Set(fs.readdirSync(building))
  const kept = (name: string) => name.startsWith(".") || (keepKernels && name === "kernels.wasm")
  fs.rmSync(path.join(dist, "build.json"), { force: true })
  for (const name of fs.readdirSync(dist)) {
    if (!kept(name) && (!made.has(name) || name === "types")) {
      fs.rmSync(path.join(dist, name), { recursive: true, force: true })
    }
  }
  for (const name of made) fs.renameSync(path.join(building, name), path.join(dist, name))
  if (made.has("troupe.js")) fs.chmodSync(path.join(dist, "troupe.js"), 0o755)
  fs.rmSync(building, { recursive: true, force: true })
  if (problems.length === 0) {
    const record: BuildRecord = { fingerprint: id, kernels, types }
    const draft = path.join(dist, ".build.json")
    fs.writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`)
    fs.renameSync(draft, path.join(dist, "build.json"))
  }
  return { fingerprint: id, fresh: false, problems }
}

const isFresh = (id: string, types: boolean): boolean => {
  const record = recordOf()
  const parts = bundles.flatMap((group) => Object.keys(inputOf(group))).map((name) => `${name}.js`)
  const whole = [...parts, "kernels.wasm", ...copied().map((file) => path.basename(file))].every((name) =>
    fs.existsSync(path.join(dist, name))
  )
  return whole && record?.fingerprint === id && (record.types || !types)
}

/**
 * Builds where `dist/` is missing or not of these sources. Safe to call from several processes at once: one builds, the
 * others wait for it. Problems are printed; what could be built is there all the same.
 */
export const ensureBuilt = async (
  options: { readonly types?: boolean; readonly force?: boolean } = {}
): Promise<BuildReport> => {
  const types = options.types === true
  const id = fingerprint()
  if (options.force !== true && isFresh(id, types)) return { fingerprint: id, fresh: true, problems: [] }
  const first = await lock()
  try {
    // Whoever held the lock may have built just this.
    if ((options.force !== true || !first) && isFresh(id, types)) return { fingerprint: id, fresh: true, problems: [] }
    const report = await buildAll(id, types)
    for (const problem of report.problems) process.stderr.write(`build: ${problem}\n`)
    return report
  } finally {
    unlock()
  }
}

// `import.meta.main` is too new for the oldest Node this runs on.
if (process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const ensure = process.argv.includes("--ensure")
  const started = performance.now()
  const report = await ensureBuilt(ensure ? {} : { types: true, force: true })
  if (!report.fresh && report.problems.length === 0) {
    const size = (await readFile(path.join(dist, "kernels.wasm"))).length
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    process.stdout.write(`Built dist/ (${report.fingerprint.slice(0, 12)}, kernels ${size} bytes) in ${seconds} s\n`)
  }
  process.exitCode = report.problems.length === 0 ? 0 : 1
}
