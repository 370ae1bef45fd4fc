/** What a dashboard keeps: bounded, told once as a whole and then as it changes; and the gate of a simulation. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Latch } from "effect"
import { Board } from "../../src/runtime/dashboard/Board.ts"
import { Gate } from "../../src/runtime/dashboard/Gate.ts"
import { LoadWatch } from "../../src/runtime/dashboard/load.ts"
import type { Message } from "../../src/runtime/dashboard/Message.ts"
import { viewOf } from "../../src/runtime/dashboard/SimulationView.ts"

const head = { is: "run", name: "a run", state: "running", folder: null, threshold: null, facts: [] } as const

const rowsOf = (messages: ReadonlyArray<Message>) =>
  messages.flatMap((message) => message.is === "rows" ? message.rows : [])

describe("Board", () => {
  it("keeps ever fewer rows of a run that grows, and the last lines of its log", () => {
    const board = new Board("test")
    const subject = board.add(head)
    let made = 0
    for (let i = 0; i < 100_000; i++) {
      subject.row("progress", ["x", "y"], () => {
        made++
        return [i, i / 3]
      })
      if (i % 100 === 0) subject.say(i, "notice", `line ${i}`)
    }
    const rows = rowsOf(board.everything)
    assert.isAtMost(rows.length, 512 + 256 * 8)
    assert.isAtLeast(rows.length, 2000)
    assert.strictEqual(made, rows.length)
    assert.deepStrictEqual(rows.slice(0, 3), [[0, 0], [1, 0.333333], [2, 0.666667]])
    const lines = board.everything.flatMap((message) => message.is === "log" ? message.lines : [])
    assert.strictEqual(lines.length, 400)
    assert.strictEqual(lines.at(-1)!.text, "line 99900")
  })

  it("collects nothing while nobody looks, and tells who comes all there is", () => {
    const board = new Board("test")
    const subject = board.add(head)
    subject.row("progress", ["x"], () => [1])
    assert.deepStrictEqual(board.drain(), [])
    board.watched = true
    subject.row("progress", ["x"], () => [2])
    subject.latest("progress", [Number.NaN])
    assert.deepStrictEqual(board.drain().map(({ is }) => is), ["rows", "latest"])
    assert.deepStrictEqual(board.drain(), [])
    const all = board.everything
    assert.deepStrictEqual(all.map(({ is }) => is), ["hello", "head", "rows", "latest", "log", "load"])
    assert.deepStrictEqual(rowsOf(all), [[1], [2]])
    assert.deepInclude(all, { is: "latest", id: subject.id, table: "progress", row: [null] })
  })

  it("keeps the last pictures", () => {
    const board = new Board("test")
    const subject = board.add(head)
    for (let i = 0; i < 5; i++) subject.addPicture(`${i}.svg`, `picture ${i}`, Effect.succeed(`<svg>${i}</svg>`), 2)
    assert.isUndefined(subject.picture("2.svg"))
    assert.strictEqual(Effect.runSync(subject.picture("4.svg")!), "<svg>4</svg>")
    const heads = board.everything.flatMap((message) => message.is === "head" ? [message.head] : [])
    assert.deepStrictEqual(heads[0]!.pictures.map(({ title }) => title), ["picture 3", "picture 4"])
  })
})

describe("Gate", () => {
  it.live("holds up who is paused, lets pass once a step, and keeps a pace", () =>
    Effect.gen(function*() {
      const gate = new Gate(true)
      let passed = 0
      const eight = yield* Latch.make(false)
      const pass = Effect.sync(() => {
        passed++
        if (passed === 8) eight.openUnsafe()
      })
      const walker = yield* Effect.forkChild(Effect.forever(Effect.andThen(gate.pass, pass)))
      yield* Effect.sleep(20)
      assert.strictEqual(passed, 0)
      for (let i = 1; i <= 3; i++) {
        gate.step()
        yield* Effect.sleep(10)
        assert.strictEqual(passed, i)
      }
      gate.setPace(20)
      yield* Effect.sleep(10)
      assert.strictEqual(passed, 3)
      const began = performance.now()
      gate.resume()
      yield* eight.await
      assert.isAtLeast(performance.now() - began, 190)
      gate.pause()
      yield* Effect.sleep(10)
      const now = passed
      yield* Effect.sleep(100)
      assert.strictEqual(passed, now)
      yield* Fiber.interrupt(walker)
    }))
})

describe("what a page is sent", () => {
  it("is a part of a world that is large", () => {
    const side = 1000
    const groups = Array.from({ length: side * side }, (_, i) => i % side === 0 ? "edge" : undefined)
    const view = viewOf({ is: "grid", name: "field", width: side, height: side, groups, ground: undefined })
    assert.strictEqual(view.width, 200)
    assert.strictEqual(view.cells!.length, 200 * 200)
    assert.deepStrictEqual(view.groups, ["edge"])
    assert.strictEqual(view.cells!.filter((group) => group === 0).length, 200)
    const points = Array.from({ length: 10_000 }, (_, i) => ({ x: i / 7, y: 1, group: "bird" }))
    const plane = viewOf({ is: "plane", name: "sky", width: 2000, height: 10, points })
    assert.isAtMost(plane.points!.length, 3 * 4000)
    assert.deepStrictEqual(plane.points!.slice(0, 6), [0, 1, 0, 0.4286, 1, 0])
  })

  it("is what this program takes of the machine", () => {
    const watch = new LoadWatch()
    watch.look()
    const end = performance.now() + 100
    while (performance.now() < end);
    const [program, main] = watch.look()
    assert.strictEqual(program!.name, "this program")
    assert.isAbove(program!.cores, 0.2)
    assert.isAbove(program!.memory!, 1e6)
    if (process.platform === "linux") assert.strictEqual(main!.name, "its main thread")
  })
})
