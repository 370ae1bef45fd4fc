/** The dashboard's server, asked by clients of all kinds: what it serves, what it refuses, and that it waits for nobody. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as net from "node:net"
import * as Audience from "../../src/runtime/dashboard/Audience.ts"
import { Board } from "../../src/runtime/dashboard/Board.ts"
import { serveDashboard } from "../../src/runtime/dashboard/dashboardServer.ts"
import type { Message } from "../../src/runtime/dashboard/Message.ts"

const opened = Effect.gen(function*() {
  const board = new Board("test")
  const subject = board.add({ is: "run", name: "a run", state: "running", folder: null, threshold: null, facts: [] })
  const notices: Array<string> = []
  const orders: Array<string> = []
  const notice = (message: string) => Effect.sync(() => void notices.push(message))
  const audience = yield* Audience.make(board, { millis: 10, refresh: Effect.void, notice })
  const port = yield* serveDashboard({
    board,
    audience,
    port: 0,
    notice,
    obey: (id, order, pace) => {
      if (id !== subject.id) return false
      orders.push(`${order} ${pace}`)
      return true
    }
  })
  return { audience, board, notices, orders, port, subject }
})

/** What comes back on a connection of its own for what is said, until the server ends it, or `enough` has come. */
const say = (port: number, text: string, { body = 0, enough = Infinity } = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1")
    let heard = ""
    socket.setTimeout(10_000, () => socket.destroy(new Error(`nothing more came for ${text.slice(0, 80)}`)))
    socket.on("error", (error) => heard === "" ? reject(error) : resolve(heard))
    socket.on("close", () => resolve(heard))
    socket.on("data", (data) => {
      heard += data.toString("latin1")
      if (heard.length >= enough) socket.destroy()
    })
    socket.write(text)
    const part = Buffer.alloc(64 * 1024)
    for (let left = body; left > 0; left -= part.length) socket.write(part)
  })

const request = (line: string, ...headers: ReadonlyArray<string>): string =>
  [`${line} HTTP/1.1`, "connection: close", ...headers, "", ""].join("\r\n")

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])

/** Looks again and again, for some seconds, until it is so. */
const until = (what: string, so: () => boolean) =>
  Effect.gen(function*() {
    for (let tries = 0; !so(); tries++) {
      assert.isBelow(tries, 1000, what)
      yield* Effect.sleep(10)
    }
  })

const live = (name: string, test: Effect.Effect<void, unknown, NodeServices.NodeServices | Scope.Scope>) =>
  it.live(name, () => Effect.scoped(Effect.provide(test, NodeServices.layer)), 60_000)

describe("the dashboard's server", () => {
  live(
    "serves the page to this machine alone, and nothing else by any path",
    Effect.gen(function*() {
      const { notices, orders, port, subject } = yield* opened
      const host = `host: 127.0.0.1:${port}`
      const ask = (line: string, ...headers: ReadonlyArray<string>) =>
        Effect.promise(() => say(port, request(line, ...headers)))
      for (
        const [path, type, part] of [
          ["/", "text/html", "<title>Troupe"],
          ["/dashboard.css", "text/css", "prefers-color-scheme"],
          ["/dashboard.js", "text/javascript", "EventSource"],
          ["/echarts.js", "text/javascript", "Apache"]
        ] as const
      ) {
        const answer = yield* ask(`GET ${path}`, host)
        assert.strictEqual(statusOf(answer), 200, path)
        assert.include(answer, `content-type: ${type}`, path)
        assert.include(answer, part, path)
        assert.include(answer, "content-security-policy: default-src 'none'", path)
      }
      for (
        const path of [
          "/../../etc/passwd",
          "/%2e%2e/%2e%2e/etc/passwd",
          "//etc/passwd",
          "/dashboard.js/../../package.json",
          "/pictures/../../../etc/passwd",
          `/pictures/${subject.id}/..%2f..%2fpackage.json`,
          "/pictures/constructor/toString",
          "/nothing"
        ]
      ) {
        const answer = yield* ask(`GET ${path}`, host)
        assert.strictEqual(statusOf(answer), 404, path)
        assert.notMatch(answer, /root:|"name": "troupe"/, path)
      }
      assert.deepStrictEqual(notices, [])
      const refused = [
        ["GET /", "host: evil.example"],
        ["GET /events", `host: evil.example:${port}`],
        ["GET /events", host, "origin: https://evil.example"],
        ["GET /events", host, "origin: null"],
        ["GET /", host, `origin: http://127.0.0.1:${port + 1}`],
        [`POST /control?id=${subject.id}&order=pause`, host, "origin: http://evil.example", "content-length: 0"]
      ] as const
      for (const [line, ...headers] of refused) {
        assert.strictEqual(statusOf(yield* ask(line, ...headers)), 403, headers.join())
      }
      assert.deepStrictEqual(notices, ["The server on loopback has refused a request for the host evil.example."])
      assert.deepStrictEqual(orders, [])
      // What it does obey.
      const own = [host, `origin: http://localhost:${port}`, "content-length: 0"]
      const order = (query: string) => ask(`POST /control?${query}`, ...own)
      assert.strictEqual(statusOf(yield* order(`id=${subject.id}&order=pace&pace=5`)), 200)
      assert.strictEqual(statusOf(yield* order(`id=${subject.id}&order=stop`)), 400)
      assert.strictEqual(statusOf(yield* order(`id=${subject.id}&order=pace&pace=Infinity`)), 400)
      assert.strictEqual(statusOf(yield* order(`id=nobody&order=pause`)), 404)
      assert.strictEqual(statusOf(yield* ask(`GET /control?id=${subject.id}&order=pause`, host)), 405)
      assert.strictEqual(statusOf(yield* ask("DELETE /", host)), 405)
      assert.deepStrictEqual(orders, ["pace 5"])
    })
  )

  live(
    "reads no large request",
    Effect.gen(function*() {
      const { notices, orders, port, subject } = yield* opened
      const host = `host: 127.0.0.1:${port}`
      const large = 10 * 1024 * 1024
      const before = process.memoryUsage.rss()
      for (let i = 0; i < 2; i++) {
        const written = yield* Effect.promise(() =>
          say(port, request("POST /", host, `content-length: ${large}`), { body: large })
        )
        assert.strictEqual(statusOf(written), 405)
        const foreign = yield* Effect.promise(() =>
          say(port, request("POST /control", "host: evil.example", `content-length: ${large}`), { body: large })
        )
        assert.strictEqual(statusOf(foreign), 403)
        const long = yield* Effect.promise(() => say(port, request(`GET /${"a".repeat(large)}`, host)))
        assert.strictEqual(statusOf(long), 431)
      }
      assert.isBelow(process.memoryUsage.rss() - before, 200 * 1024 * 1024)
      assert.strictEqual(notices.length, 1)
      assert.deepStrictEqual(orders, [])
      assert.strictEqual(statusOf(yield* Effect.promise(() => say(port, request("GET /", host)))), 200)
      assert.strictEqual(subject.state, "running")
    })
  )

  live(
    "forgets a thousand who vanish, and drops who does not read",
    Effect.gen(function*() {
      const { audience, board, notices, port, subject } = yield* opened
      const listen = request("GET /events", `host: 127.0.0.1:${port}`)
      for (let i = 0; i < 40; i++) {
        yield* Effect.promise(() => Promise.all(Array.from({ length: 25 }, () => say(port, listen, { enough: 100 }))))
      }
      yield* until("all have left", () => audience.size() === 0)
      assert.isFalse(board.watched)
      assert.deepStrictEqual(notices, [])

      // One reads, the other does not.
      const heard: Array<Message> = []
      const reader = net.connect(port, "127.0.0.1")
      let text = ""
      reader.on("data", (data) => {
        text += data.toString("latin1")
        const frames = text.split("\n\n")
        text = frames.pop()!
        for (const frame of frames) {
          const data = /^data: (.*)$/m.exec(frame)?.[1]
          if (data !== undefined) heard.push(...JSON.parse(data))
        }
      })
      reader.write(listen)
      const deaf = net.connect(port, "127.0.0.1")
      deaf.on("error", () => {})
      deaf.pause()
      deaf.write(listen)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          reader.destroy()
          deaf.destroy()
        })
      )
      yield* until("both are there", () => audience.size() === 2)
      const cells = Array.from({ length: 100_000 }, () => 1)
      for (let time = 0; audience.size() === 2; time++) {
        assert.isBelow(time, 500, "nobody was dropped")
        subject.setWorld(time, [{
          name: "field",
          width: 400,
          height: 250,
          groups: ["a", "b"],
          cells,
          ground: null,
          points: null
        }])
        yield* Effect.sleep(20)
      }
      assert.strictEqual(audience.size(), 1)
      yield* until("it is told", () => notices.length > 0)
      assert.deepStrictEqual(notices, ["A page of the dashboard did not read what it was sent, and was dropped."])
      subject.say(1, "notice", "still here")
      yield* until(
        "the other one hears on",
        () => heard.some((message) => message.is === "log" && message.lines.some(({ text }) => text === "still here"))
      )
      assert.strictEqual(heard[0]?.is, "hello")

      // There is room for so many, and no more.
      const crowd = Array.from({ length: 31 }, () => net.connect(port, "127.0.0.1"))
      yield* Effect.addFinalizer(() => Effect.sync(() => crowd.forEach((one) => one.destroy())))
      for (const one of crowd) {
        one.on("error", () => {})
        one.resume()
        one.write(listen)
      }
      yield* until("all are in", () => audience.size() === 32)
      assert.strictEqual(statusOf(yield* Effect.promise(() => say(port, listen))), 503)
    })
  )
})
