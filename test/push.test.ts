/** The verb `push`, against a server of our own that speaks as the Hugging Face hub does. */
import { assert } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { createHash } from "node:crypto"
import * as http from "node:http"
import * as path from "node:path"
import { live, temporary, troupe } from "./program.ts"

const token = "hf_test"

interface Hub {
  readonly endpoint: string
  /** Repositories, and whether they are private. */
  readonly repositories: Map<string, boolean>
  /** The files of the last commit. */
  readonly files: Map<string, Buffer>
  readonly titles: Array<string>
}

const bodyOf = async (request: http.IncomingMessage): Promise<Buffer> => {
  const parts: Array<Buffer> = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts)
}

/** Text is committed as it is; what is no text is put to storage first, by its hash. */
const hub = Effect.acquireRelease(
  Effect.callback<Hub & { readonly server: http.Server }>((resume) => {
    const repositories = new Map<string, boolean>()
    const files = new Map<string, Buffer>()
    const titles: Array<string> = []
    const stored = new Map<string, Buffer>()
    let endpoint = ""
    const answer = async (request: http.IncomingMessage): Promise<readonly [status: number, body: unknown]> => {
      const { method, url = "" } = request
      const body = await bodyOf(request)
      if (method === "PUT" && url.startsWith("/storage/")) {
        stored.set(url.slice("/storage/".length), body)
        return [200, {}]
      }
      if (request.headers.authorization !== `Bearer ${token}`) return [401, { error: "Invalid credentials" }]
      if (url === "/api/repos/create") {
        const asked = JSON.parse(body.toString())
        const name = `${asked.organization}/${asked.name}`
        if (repositories.has(name)) return [409, { error: "You already created this model repo" }]
        repositories.set(name, asked.visibility === "private")
        return [200, { url: `${endpoint}/${name}`, id: name }]
      }
      const [, repository = "", what = ""] = /^\/api\/models\/([\w.-]+\/[\w.-]+)\/(\w+)\/main/.exec(url) ?? []
      const [, batch = ""] = /^\/([\w.-]+\/[\w.-]+)\.git\/info\/lfs\/objects\/batch$/.exec(url) ?? []
      if (!repositories.has(repository || batch)) return [404, { error: "Repository not found" }]
      if (what === "preupload") {
        const asked: ReadonlyArray<{ readonly path: string }> = JSON.parse(body.toString()).files
        const uploadMode = (name: string) => name.endsWith(".safetensors") ? "lfs" : "regular"
        return [200, { files: asked.map(({ path }) => ({ path, uploadMode: uploadMode(path), shouldIgnore: false })) }]
      }
      if (batch !== "") {
        const { objects } = JSON.parse(body.toString())
        return [200, {
          transfer: "basic",
          objects: objects.map((object: { readonly oid: string; readonly size: number }) => ({
            ...object,
            actions: { upload: { href: `${endpoint}/storage/${object.oid}` } }
          }))
        }]
      }
      for (const line of body.toString().split("\n").filter((line) => line !== "")) {
        const { key, value } = JSON.parse(line)
        if (key === "header") titles.push(value.summary)
        if (key === "file") files.set(value.path, Buffer.from(value.content, value.encoding))
        if (key === "lfsFile") files.set(value.path, stored.get(value.oid)!)
      }
      return [200, {
        success: true,
        commitOid: "0".repeat(40),
        commitUrl: `${endpoint}/${repository}/commit/0`,
        hookOutput: ""
      }]
    }
    const server = http.createServer((request, response) => {
      void answer(request).then(([status, body]) => {
        response.writeHead(status, { "content-type": "application/json" })
        response.end(JSON.stringify(body))
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      endpoint = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
      resume(Effect.succeed({ server, endpoint, repositories, files, titles }))
    })
  }),
  ({ server }) =>
    Effect.sync(() => {
      server.close()
      server.closeAllConnections()
    })
)

live(
  "pushes a policy with a page that says what it is, again as another commit, and says what is refused",
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const cwd = yield* temporary
    const { endpoint, files, repositories, titles } = yield* hub
    const trained = yield* troupe(cwd, ["CartPole-v1", "--seed", "1", "--json", "--total-timesteps", "3000"])
    assert.strictEqual(trained.code, 0, trained.stderr)
    const finished = JSON.parse(trained.stdout.trim().split("\n").at(-1)!)
    const [folder] = yield* fs.readDirectory(path.join(cwd, "runs"))
    const args = ["push", `runs/${folder}`, "ada/cartpole", "--endpoint", endpoint]
    const push = (more: ReadonlyArray<string> = [], env: Readonly<Record<string, string>> = { HF_TOKEN: token }) =>
      troupe(cwd, [...args, ...more], { env: { HF_TOKEN: undefined, ...env } })

    const dry = yield* push(["--dry-run"], {})
    assert.strictEqual(dry.code, 0, dry.stderr)
    assert.include(dry.stdout, finished.weights_sha256)
    assert.strictEqual(files.size, 0)

    const nobody = yield* push([], {})
    assert.strictEqual(nobody.code, 2)
    assert.match(nobody.stderr, /^Say who pushes: [^\n]*HF_TOKEN[^\n]*\n$/)
    const stranger = yield* push([], { HF_TOKEN: "hf_other" })
    assert.strictEqual(stranger.code, 1)
    assert.match(stranger.stderr, /^The hub refuses it [^\n]*HF_TOKEN must be a token that may write there\.\n$/)
    assert.strictEqual(repositories.size, 0)

    const pushed = yield* push(["--private"])
    assert.strictEqual(pushed.code, 0, pushed.stderr)
    assert.include(pushed.stdout, `${endpoint}/ada/cartpole/commit/`)
    assert.deepStrictEqual([...repositories], [["ada/cartpole", true]])
    assert.deepStrictEqual(
      [...files.keys()].toSorted(),
      ["README.md", "config.json", "curve.svg", "policy.safetensors", "progress.csv"]
    )
    for (const name of ["config.json", "policy.safetensors", "progress.csv"]) {
      const own = yield* fs.readFile(path.join(cwd, "runs", folder!, name))
      const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")
      assert.strictEqual(hash(files.get(name)!), hash(own), name)
    }
    const card = files.get("README.md")!.toString()
    assert.match(card, /^---\nlibrary_name: troupe\n[\s\S]*\n---\n/)
    assert.include(card, `| weights\\_sha256 | ${finished.weights_sha256} |`)
    assert.include(card, "](curve.svg)")
    assert.include(card, "| --n-envs |")

    const again = yield* push()
    assert.strictEqual(again.code, 0, again.stderr)
    assert.deepStrictEqual(titles, [`Policy of ${folder}`, `Policy of ${folder}`])

    const nowhere = yield* troupe(cwd, ["push", "runs", "ada/cartpole"])
    assert.strictEqual(nowhere.code, 2)
    assert.match(nowhere.stderr, /^runs is no folder of a run: [^\n]*\n$/)
  })
)
