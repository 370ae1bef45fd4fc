/** The programs of actors that talk: as they are, under kills, and in the box with all faults. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { ActorSystem } from "troupe/actors"
import { allFaults, simulate, Simulation } from "troupe/testing"
import { AccountBehavior, bank, BranchBehavior } from "../../examples/actors/bank.ts"
import { crawl, FrontierBehavior, LimiterBehavior, links, WorkerBehavior } from "../../examples/actors/crawler.ts"
import { BookBehavior, market, TraderBehavior } from "../../examples/actors/order-book.ts"

/** The pages that can be reached. */
const reachable = (): number => {
  const found = new Set([0])
  for (const page of found) for (const link of links(page)) found.add(link)
  return found.size
}

const banking = [AccountBehavior, BranchBehavior] as const
const trading = [BookBehavior, TraderBehavior] as const
const crawling = [FrontierBehavior, LimiterBehavior, WorkerBehavior] as const
const simulated = { hosts: 2, heartbeat: "900 millis", startDeadline: "2 seconds", askDeadline: "10 minutes" } as const

const fails = (why: string, wrong: boolean) => wrong ? Effect.fail(why) : Effect.void

describe("examples/actors", () => {
  it("are short", () => {
    for (const name of ["bank", "order-book", "crawler"]) {
      const text = readFileSync(new URL(`../../examples/actors/${name}.ts`, import.meta.url), "utf8")
      assert.isBelow(text.split("\n").length, 121, name)
    }
  })

  it.live("bank: money is conserved, whoever is killed", () =>
    Effect.gen(function*() {
      const { moved, sum } = yield* bank({ accounts: 20, transfers: 500, kills: 30 })
      assert.strictEqual(sum, 2000)
      assert.isAbove(moved, 100)
    }).pipe(Effect.provide(ActorSystem.layerFiber(banking))))

  it.live("order book: goods and money change hands, and are conserved", () =>
    Effect.gen(function*() {
      const { cash, goods, trades } = yield* market({ traders: 10, orders: 20, kills: 20 })
      assert.deepStrictEqual([cash, goods], [10_000, 100])
      assert.isAbove(trades, 20)
    }).pipe(Effect.provide(ActorSystem.layerFiber(trading))))

  it.live("crawler: all pages, no faster than the limit", () =>
    Effect.gen(function*() {
      const began = performance.now()
      const pages = yield* crawl(4)
      assert.strictEqual(new Set(pages).size, pages.length)
      assert.strictEqual(pages.length, reachable())
      assert.isAtLeast(performance.now() - began, (pages.length - 5) * 2 - 1)
    }).pipe(Effect.provide(ActorSystem.layerFiber(crawling))))

  it("bank, in the box", () => {
    const { failure } = simulate(
      Effect.gen(function*() {
        const { sum } = yield* bank({ accounts: 5, transfers: 12, kills: 3 })
        yield* fails(`the accounts hold ${sum}`, sum !== 500)
      }).pipe(Effect.provide(Simulation.layer(banking, simulated))),
      { seeds: 40, faults: allFaults }
    )
    assert.isUndefined(failure, failure?.text)
  })

  it("order book, in the box", () => {
    const { failure } = simulate(
      Effect.gen(function*() {
        const { cash, goods } = yield* market({ traders: 4, orders: 6, kills: 3 })
        yield* fails(`the traders hold ${cash} and ${goods}`, cash !== 4000 || goods !== 40)
      }).pipe(Effect.provide(Simulation.layer(trading, simulated))),
      { seeds: 40, faults: allFaults }
    )
    assert.isUndefined(failure, failure?.text)
  })

  it("crawler, in the box", () => {
    const { failure } = simulate(
      Effect.gen(function*() {
        const pages = yield* crawl(3)
        yield* fails(`${pages.length} pages`, pages.length !== reachable() || new Set(pages).size !== pages.length)
      }).pipe(Effect.provide(Simulation.layer(crawling, simulated))),
      { seeds: 5, faults: allFaults }
    )
    assert.isUndefined(failure, failure?.text)
  })
})
