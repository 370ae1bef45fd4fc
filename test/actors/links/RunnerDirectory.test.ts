/** Hosts go to the runners that answer and have the fewest; who does not answer is asked again, who refuses is not. */
import { assert, describe, it } from "@effect/vitest"
import { isLoopback, parse, RunnerDirectory, show } from "../../../src/actors/links/RunnerDirectory.ts"

const addresses = [1, 2, 3].map((port) => ({ host: "10.0.0.1", port }))

const make = () => {
  const clock = { now: 0 }
  return { clock, directory: new RunnerDirectory(addresses, () => clock.now) }
}

describe("RunnerDirectory", () => {
  it("spreads hosts evenly", () => {
    const { directory } = make()
    const ports = Array.from({ length: 7 }, () => directory.choose()!.address.port)
    assert.deepStrictEqual(ports, [1, 2, 3, 1, 2, 3, 1])
  })

  it("leaves alone who does not answer, longer each time, and prefers the others then", () => {
    const { clock, directory } = make()
    const first = directory.choose()!
    first.fails("nobody listens there", false)
    first.leave()
    assert.deepStrictEqual([2, 3, 2, 3].map(() => directory.choose()!.address.port), [2, 3, 2, 3])
    clock.now = 10_000
    assert.strictEqual(directory.choose()!.address.port, 2)
    assert.match(directory.problems, /10\.0\.0\.1:1: nobody listens there; 10\.0\.0\.1:2: no answer yet/)
  })

  it("has nobody while all are left alone, and is without hope when all have refused", () => {
    const { clock, directory } = make()
    const all = addresses.map(() => directory.choose()!)
    for (const one of all) one.fails("gone", false)
    assert.isUndefined(directory.choose())
    assert.isFalse(directory.hopeless)
    clock.now = 1000
    assert.isDefined(directory.choose())
    for (const one of all) one.fails("another secret", true)
    clock.now = 100_000
    assert.isUndefined(directory.choose())
    assert.isTrue(directory.hopeless)
  })

  it("finds a host crowded once another runner has room, and asks who was away", () => {
    const { clock, directory } = make()
    const [a, b, c] = [directory.choose()!, directory.choose()!, directory.choose()!]
    b.fails("gone", false)
    b.leave()
    c.fails("gone", false)
    c.leave()
    const second = directory.choose()!
    assert.strictEqual(second.address.port, 1)
    assert.isFalse(a.crowded())
    assert.isUndefined(a.absent())
    clock.now = 1000
    const absent = a.absent()!
    assert.strictEqual(absent.address.port, 2)
    // One asks for all.
    assert.notStrictEqual(second.absent()?.address.port, 2)
    absent.answers()
    assert.isTrue(a.crowded())
    a.leave()
    assert.isFalse(second.crowded())
  })
})

describe("an address", () => {
  it("is a host and a port, and nothing else", () => {
    assert.deepStrictEqual(parse("10.0.0.5:4100"), { host: "10.0.0.5", port: 4100 })
    assert.deepStrictEqual(parse(" runner-1.example:80 "), { host: "runner-1.example", port: 80 })
    assert.deepStrictEqual(parse("[::1]:4100"), { host: "::1", port: 4100 })
    for (const wrong of ["", "4100", "a:", ":1", "a:70000", "a:1:2", "http://a:1", "a b:1", "[::1]", "[x]:1"]) {
      assert.isUndefined(parse(wrong), wrong)
    }
    for (const text of ["10.0.0.5:4100", "[::1]:4100"]) assert.strictEqual(show(parse(text)!), text)
  })

  it("is of this machine where it is loopback's", () => {
    for (const here of ["127.0.0.1", "127.9.9.9", "localhost", "::1"]) assert.isTrue(isLoopback(here), here)
    for (const away of ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example", "localhost.example"]) {
      assert.isFalse(isLoopback(away), away)
    }
  })
})
