/** Dashboards of real programs, heard by a client that is no browser: of a run, of folders, of a simulation that is held up. */
import { assert } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as http from "node:http"
import { fileURLToPath } from "node:url"
import type { Message } from "../../src/runtime/dashboard/Message.ts"
import { live, temporary, troupe } from "../program.ts"

const example = (name: string) => fileURLToPath(new URL(`../../examples/simulations/${name}.ts`, import.meta.url))

/** All that a page hears, until the program ends. */
class Page {
  readonly heard: Array<Message> = []
  private rest = ""
  private readonly waiting = new Set<() => void>()
  readonly port: number

  constructor(port: number) {
    this.port = port
    http.get({ host: "127.0.0.1", port, path: "/events" }, (response) => {
      response.setEncoding("utf8")
      response.on("data", (data: string) => this.hear(data))
      response.on("error", () => {})
    }).on("error", () => {})
  }

  private hear(data: string): void {
    const frames = (this.rest + data).split("\n\n")
    this.rest = frames.pop()!
    for (const frame of frames) {
      const text = /^data: (.*)$/m.exec(frame)?.[1]
      if (text !== undefined) this.heard.push(...JSON.parse(text))
    }
    for (const look of this.waiting) look()
  }

  /** Waits until what was heard is so. */
  until(what: string, so: (heard: ReadonlyArray<Message>) => boolean) {
    return Effect.callback<void>((resume) => {
      const look = () => {
        if (!so(this.heard)) return
        this.waiting.delete(look)
        resume(Effect.void)
      }
      this.waiting.add(look)
      look()
      return Effect.sync(() => void this.waiting.delete(look))
    }).pipe(Effect.timeoutOrElse({ duration: "30 seconds", orElse: () => Effect.die(new Error(`not heard: ${what}`)) }))
  }

  order(query: string) {
    return Effect.callback<number>((resume) => {
      const { port } = this
      const path = `/control?${query}`
      http.request({ host: "127.0.0.1", port, path, method: "POST" }, (response) => {
        response.resume()
        resume(Effect.succeed(response.statusCode ?? 0))
      }).end()
    })
  }

  of<Is extends Message["is"]>(is: Is) {
    return this.heard.filter((message): message is Extract<Message, { readonly is: Is }> => message.is === is)
  }

  get time(): number | undefined {
    return this.of("world").at(-1)?.time ?? this.of("rows").at(-1)?.rows.at(-1)?.[0] ?? undefined
  }
}

const addressOf = (said: string): number | undefined => {
  const found = /dashboard at http:\/\/127\.0\.0\.1:(\d+)\//.exec(said)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** A program under way, and a page of its dashboard. */
const looked = Effect.fnUntraced(function*(cwd: string, args: ReadonlyArray<string>) {
  const at = yield* Deferred.make<Page>()
  let kill = (_: NodeJS.Signals): void => {}
  const hear = (said: string, killing: typeof kill) => {
    kill = killing
    const port = addressOf(said)
    if (port !== undefined && !Deferred.isDoneUnsafe(at)) Deferred.doneUnsafe(at, Effect.succeed(new Page(port)))
  }
  const program = yield* Effect.forkScoped(
    troupe(cwd, args, { env: { XDG_RUNTIME_DIR: cwd }, onOutput: hear, onError: hear })
  )
  const page = yield* Effect.raceFirst(
    Deferred.await(at),
    Effect.flatMap(Fiber.join(program), ({ stderr }) => Effect.die(new Error(`it has ended: ${stderr}`)))
  )
  return { page, program, kill: (signal: NodeJS.Signals) => kill(signal) }
})

live(
  "a run is heard from its beginning to its last word, and then by its folder",
  Effect.gen(function*() {
    const cwd = yield* temporary
    const args = ["CartPole-v1", "--keep-going", "--total-timesteps", "300000", "--workers", "2", "--json"]
    const straight = yield* troupe(cwd, [...args, "--no-run-folder"])
    const { page, program } = yield* looked(cwd, [...args, "--chaos", "2", "--dashboard"])
    const { code, stdout, stderr } = yield* Fiber.join(program)
    assert.strictEqual(code, 0, stderr)
    const lastOf = (said: string) => JSON.parse(said.trim().split("\n").at(-1)!)
    const finished = lastOf(stdout)
    yield* page.until("bye", (heard) => heard.at(-1)?.is === "bye")
    assert.strictEqual(page.heard[0]?.is, "hello")
    const [rows] = page.of("rows").filter(({ table }) => table === "progress")
    assert.include(rows!.columns, "rollout/ep_rew_mean")
    const lines = page.of("log").flatMap(({ lines }) => lines)
    assert.strictEqual(lines.filter(({ kind }) => kind === "death").length, 2)
    assert.include(lines.at(-1)!.text, finished.weights_sha256)
    const last = page.of("head").at(-1)!
    assert.strictEqual(last.head.state, "solved")
    // The same weights as where nobody looks.
    assert.strictEqual(finished.weights_sha256, lastOf(straight.stdout).weights_sha256)

    const nothing = yield* troupe(cwd, ["dashboard", "nowhere"])
    assert.strictEqual(nothing.code, 1)
    assert.match(nothing.stderr, /^There is no folder nowhere: [^\n]*\n$/)
    const folders = yield* looked(cwd, ["dashboard"])
    yield* folders.page.until("all", (heard) => heard.some(({ is }) => is === "load"))
    const { head, id } = folders.page.of("head").at(-1)!
    assert.strictEqual(head.state, "over")
    assert.strictEqual(head.threshold, 475)
    const means = folders.page.of("rows").find(({ table }) => table === "evaluation")!
    assert.strictEqual(means.rows.at(-1)![means.columns.indexOf("eval/mean_reward")], finished.eval_mean)
    const picture = yield* Effect.promise(() =>
      fetch(`http://127.0.0.1:${folders.page.port}/pictures/${id}/episode.svg`)
    )
    assert.strictEqual(picture.headers.get("content-type"), "image/svg+xml")
    assert.match(yield* Effect.promise(() => picture.text()), /^<svg/)
    folders.kill("SIGINT")
    const ended = yield* Fiber.join(folders.program)
    assert.strictEqual(ended.code, 130)
    assert.strictEqual(folders.page.heard.at(-1)?.is, "bye")
  })
)

const small = {
  1: [example("schelling")],
  2: [example("phold"), "--set", "processes=16", "--until", "10"]
} as const

for (const hosts of [1, 2] as const) {
  live(
    `a simulation on ${hosts} is paused, stepped and let go, with the result it has without`,
    Effect.gen(function*() {
      const cwd = yield* temporary
      const args = ["simulate", ...small[hosts], "--seed", "3", "--hosts", String(hosts), "--json"]
      const straight = yield* troupe(cwd, args)
      assert.strictEqual(straight.code, 0, straight.stderr)
      const { page, program } = yield* looked(cwd, [...args, "--dashboard", "--paused"])
      yield* page.until("the beginning", () => page.time === 0)
      assert.strictEqual(page.of("head").at(-1)!.head.state, "paused")
      const { id } = page.of("head")[0]!
      for (let step = 0; step < 3; step++) {
        const before = page.time!
        assert.strictEqual(yield* page.order(`id=${id}&order=step`), 200)
        yield* page.until("a step", () => page.time! > before)
      }
      const paused = page.time
      yield* Effect.sleep(300)
      assert.strictEqual(page.time, paused)
      assert.strictEqual(yield* page.order(`id=${id}&order=resume`), 200)
      const { code, stderr, stdout } = yield* Fiber.join(program)
      assert.strictEqual(code, 0, stderr)
      const outcome = (text: string) => JSON.parse(text.trim().split("\n").at(-1)!).state_sha256
      assert.strictEqual(outcome(stdout), outcome(straight.stdout))
      yield* page.until("bye", (heard) => heard.at(-1)?.is === "bye")
      assert.strictEqual(page.of("head").at(-1)!.head.state, "finished")
      assert.isAbove(page.of("actors").flatMap(({ actors }) => actors).length, 0)
    })
  )
}

live(
  "a simulation that is interrupted while it is held up ends at once, and says so to the last",
  Effect.gen(function*() {
    const cwd = yield* temporary
    const { kill, page, program } = yield* looked(cwd, [
      "simulate",
      example("schelling"),
      "--no-run-folder",
      "--dashboard",
      "--paused"
    ])
    yield* page.until("the beginning", () => page.time === 0)
    kill("SIGINT")
    const { code } = yield* Fiber.join(program)
    assert.strictEqual(code, 130)
    yield* page.until("bye", (heard) => heard.at(-1)?.is === "bye")
    assert.strictEqual(page.of("head").at(-1)!.head.state, "ended before its time")
    const alone = yield* troupe(cwd, ["simulate", example("schelling"), "--paused"])
    assert.deepStrictEqual(alone, { code: 2, stdout: "", stderr: "--paused goes with --dashboard.\n" })
  })
)
