/** `--metrics-port`, asked by a client of its own; and the board that reads what it says. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import * as http from "node:http"
import { metrics } from "../src/runtime/monitoring/RunMetrics.ts"
import { live, temporary, troupe } from "./program.ts"

interface Answer {
  readonly status: number
  readonly text: string
}

const ask = (port: number, path: string, options: http.RequestOptions = {}, body = ""): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port, path, timeout: 5_000, ...options }, (response) => {
      let text = ""
      response.on("data", (chunk) => text += chunk)
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }))
    })
    request.on("error", reject)
    request.end(body)
  })

const port = (stdout: string): number | undefined => {
  const found = /metrics at http:\/\/127\.0\.0\.1:(\d+)\/metrics/.exec(stdout)?.[1]
  return found === undefined ? undefined : Number(found)
}

describe("--metrics-port", () => {
  live(
    "serves the run's metrics to this machine alone",
    Effect.gen(function*() {
      const folder = yield* temporary
      let asked: Promise<ReadonlyArray<Answer>> | undefined
      const args = ["--keep-going", "--total-timesteps", "1000000000000", "--placement", "fiber", "--no-run-folder"]
      yield* troupe(folder, [...args, "--json", "--metrics-port", "0"], {
        onOutput: (stdout, kill) => {
          const at = port(stdout)
          if (asked !== undefined || at === undefined || !stdout.includes(`"event":"progress"`)) return
          asked = Promise.all([
            ask(at, "/metrics"),
            ask(at, "/elsewhere"),
            ask(at, "/../../etc/passwd"),
            ask(at, "/metrics", { headers: { host: "evil.example" } }),
            ask(at, "/metrics", { headers: { origin: "https://evil.example" } }),
            ask(at, "/metrics", { headers: { origin: `http://localhost:${at}` } }),
            ask(at, "/metrics", { method: "POST" })
          ]).finally(() => kill("SIGINT"))
        }
      })
      const [found, missing, outside, foreign, page, own, written] = yield* Effect.promise(() => asked!)
      assert.strictEqual(found!.status, 200)
      assert.match(found!.text, /^troupe_env_steps_total\{[^}]*env_id="CartPole-v1"[^}]*\} \d+$/m)
      assert.deepStrictEqual([missing, outside].map((answer) => answer!.status), [404, 404])
      for (const refused of [foreign, page]) {
        assert.deepStrictEqual(refused, { status: 403, text: "This server answers this machine alone.\n" })
      }
      assert.strictEqual(own!.status, 200)
      assert.strictEqual(written!.status, 405)
    })
  )

  live(
    "says in one sentence that a port is taken",
    Effect.gen(function*() {
      const folder = yield* temporary
      const server = yield* Effect.acquireRelease(
        Effect.callback<http.Server>((resume) => {
          const server = http.createServer()
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const address = server.address()
      const taken = typeof address === "object" && address !== null ? address.port : 0
      const { code, stderr } = yield* troupe(folder, ["--no-run-folder", "--metrics-port", String(taken)])
      assert.strictEqual(code, 1)
      assert.match(
        stderr,
        /^Port \d+ of this machine cannot be listened at: another program does already\. Take another; 0 is any that is free\.\n$/
      )
    })
  )

  it("has a board that asks for what there is", () => {
    const board = readFileSync(new URL("../docs/grafana.json", import.meta.url), "utf8")
    const asked = new Set([...board.matchAll(/troupe_[a-z_]+/g)].map(([name]) => name))
    const there = new Set(Object.values(metrics).map(({ id }) => id))
    for (const name of asked) assert.isTrue(there.has(name), name)
    assert.isAbove(asked.size, 8)
  })
})
