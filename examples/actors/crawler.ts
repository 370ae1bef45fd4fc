/**
 * A crawler with a rate limit: workers take pages from a frontier, and a limiter, whose permits come by a timer, lets them fetch. Both
 * let askers wait (`Actor.later`). Anybody may be killed, and each page counts once. `node examples/actors/crawler.ts`
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Exit, Option, Schema } from "effect"
import { Actor, ActorSystem, Supervision } from "troupe/actors"

/** A site of 211 pages, each with three links. */
export const links = (page: number): ReadonlyArray<number> => [2, 3, 7].map((k) => (page * k + 1) % 211)

export class Limiter extends Actor.make("Limiter", {
  state: Schema.Struct({ waiting: Schema.Array(Actor.Token), permits: Schema.Int }),
  protocol: [Actor.Rpc.make("Permit", {}), Actor.Rpc.make("Refill", {})]
}) {}

/** Five at once at most, and one more every two milliseconds. */
export const LimiterBehavior = Limiter.behavior(({ answer, restored, self }) =>
  Effect.gen(function*() {
    const full: typeof Limiter.state.Type = { waiting: [], permits: 5 }
    let { permits, waiting } = Option.getOrElse(restored, () => full)
    yield* self.every("2 millis").Refill()
    return {
      handlers: {
        Permit: (_, token) => {
          if (permits > 0) return Effect.sync(() => void permits--)
          waiting = [...waiting, token]
          return Actor.later
        },
        Refill: () =>
          Effect.sync(() => {
            permits = Math.min(permits + 1, 5)
            for (; permits > 0 && waiting.length > 0; waiting = waiting.slice(1)) {
              if (answer(waiting[0]!, Exit.void)) permits--
            }
          })
      },
      snapshot: () => ({ waiting, permits })
    }
  })
)

const pages = Schema.Array(Schema.Int)

export class Frontier extends Actor.make("Frontier", {
  // The pages found, in order; how many of them were taken, and how many fetched.
  state: Schema.Struct({ pages, taken: Schema.Int, fetched: Schema.Int, waiting: Schema.Array(Actor.Token) }),
  protocol: [
    Actor.Rpc.make("Next", { success: Schema.NullOr(Schema.Int) }),
    Actor.Rpc.make("Fetched", { payload: { links: pages } }),
    Actor.Rpc.make("Pages", { success: pages })
  ]
}) {}

export const FrontierBehavior = Frontier.behavior(({ answer, restored }) =>
  Effect.sync(() => {
    const start: typeof Frontier.state.Type = { pages: [0], taken: 0, fetched: 0, waiting: [] }
    let { fetched, pages, taken, waiting } = Option.getOrElse(restored, () => start)
    return {
      handlers: {
        Next: (_, token) => {
          if (taken < pages.length) return Effect.sync(() => pages[taken++]!)
          if (fetched === pages.length) return Effect.succeed(null)
          waiting = [...waiting, token]
          return Actor.later
        },
        Fetched: ({ links }) =>
          Effect.sync(() => {
            fetched++
            pages = [...new Set([...pages, ...links])]
            for (; waiting.length > 0; waiting = waiting.slice(1)) {
              if (taken === pages.length && fetched < pages.length) return
              if (answer(waiting[0]!, Exit.succeed(pages[taken] ?? null))) taken = Math.min(taken + 1, pages.length)
            }
          }),
        Pages: () => Effect.sync(() => pages)
      },
      snapshot: () => ({ pages, taken, fetched, waiting })
    }
  })
)

export class Worker extends Actor.make("Worker", {
  config: Schema.Struct({ frontier: Actor.Ref(Frontier), limiter: Actor.Ref(Limiter) }),
  protocol: [Actor.Rpc.make("Step", { success: Schema.Boolean })]
}) {}

export const WorkerBehavior = Worker.behavior(({ config: { frontier, limiter } }) =>
  Effect.succeed({
    handlers: {
      Step: () =>
        Effect.gen(function*() {
          const page = yield* frontier.Next()
          if (page === null) return false
          yield* limiter.Permit()
          yield* Effect.sleep("1 millis")
          yield* frontier.Fetched({ links: links(page) })
          return true
        }).pipe(Effect.orDie)
    }
  })
)

/** Crawls the site with so many workers; all its pages. Who is killed begins anew. */
export const crawl = (workers: number) =>
  Effect.gen(function*() {
    const supervision = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY })
    const frontier = yield* ActorSystem.spawn(Frontier, { name: "frontier", supervision })
    const limiter = yield* ActorSystem.spawn(Limiter, { name: "limiter", supervision })
    const worker = ActorSystem.spawn(Worker, { config: { frontier, limiter }, supervision })
    const work = Effect.flatMap(worker, (each) => Effect.repeat(each.Step(), { while: (more) => more }))
    yield* Effect.all(Array.from({ length: workers }, () => work), { concurrency: "unbounded" })
    return yield* frontier.Pages()
  }).pipe(Effect.scoped)

const fibers = ActorSystem.layerFiber([FrontierBehavior, LimiterBehavior, WorkerBehavior])
const program = Effect.provide(Effect.flatMap(crawl(4), (pages) => Console.log(`${pages.length} pages`)), fibers)

if (import.meta.main) NodeRuntime.runMain(program)
