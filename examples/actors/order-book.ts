/**
 * An order book with traders: an order waits in the book until another one meets it, and its trader is answered then.
 *
 * The book keeps the tokens of the orders that wait (`Actor.later`) in its state. One message answers both sides of a trade, and
 * that is committed in one step, so goods and money change hands or do not, whoever dies. An order whose trader has given up
 * is passed over: `answer` says so. `node examples/actors/order-book.ts`
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Exit, Option, Random, Schema } from "effect"
import { Actor, ActorSystem, Supervision } from "troupe/actors"

const order = { side: Schema.Literals(["buy", "sell"]), price: Schema.Int }
const Waiting = Schema.Struct({ ...order, token: Actor.Token })

export class Book extends Actor.make("Book", {
  state: Schema.Struct({ waiting: Schema.Array(Waiting), trades: Schema.Int }),
  protocol: [
    /** Answers the price, once another order meets this one. */
    Actor.Rpc.make("Order", { payload: order, success: Schema.Int }),
    Actor.Rpc.make("Trades", { success: Schema.Int })
  ]
}) {}

const none: typeof Book.state.Type = { waiting: [], trades: 0 }

export const BookBehavior = Book.behavior(({ answer, restored }) =>
  Effect.sync(() => {
    let { trades, waiting } = Option.getOrElse(restored, () => none)
    return {
      handlers: {
        Order: ({ price, side }, token) => {
          // The best price, and of these the one that has waited longest.
          const sign = side === "buy" ? 1 : -1
          const meeting = waiting.filter((other) => other.side !== side && sign * (price - other.price) >= 0)
          for (const other of meeting.toSorted((a, b) => sign * (a.price - b.price))) {
            waiting = waiting.filter((each) => each !== other)
            if (!answer(other.token, Exit.succeed(other.price))) continue
            trades++
            return Effect.succeed(other.price)
          }
          waiting = [...waiting, { price, side, token }]
          return Actor.later
        },
        Trades: () => Effect.sync(() => trades)
      },
      snapshot: () => ({ waiting, trades })
    }
  })
)

const Holding = Schema.Struct({ cash: Schema.Int, goods: Schema.Int })

export class Trader extends Actor.make("Trader", {
  config: Schema.Struct({ book: Actor.Ref(Book) }),
  state: Holding,
  protocol: [
    /** Sends an order, and loses patience when nothing meets it. */
    Actor.Rpc.make("Trade", { payload: order }),
    Actor.Rpc.make("Holds", { success: Holding })
  ]
}) {}

export const TraderBehavior = Trader.behavior(({ config: { book }, restored }) =>
  Effect.sync(() => {
    let { cash, goods } = Option.getOrElse(restored, () => ({ cash: 1000, goods: 10 }))
    return {
      handlers: {
        Trade: ({ price, side }) =>
          Effect.gen(function*() {
            const paid = yield* Effect.option(book.Order({ price, side }, { deadline: "50 millis" }))
            if (Option.isNone(paid)) return
            goods += side === "buy" ? 1 : -1
            cash -= side === "buy" ? paid.value : -paid.value
          }),
        Holds: () => Effect.sync(() => ({ cash, goods }))
      },
      snapshot: () => ({ cash, goods })
    }
  })
)

const supervision = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY })

/** Traders send orders at prices that they draw, and anybody may be killed. What they hold together at the end. */
export const market = ({ kills, orders, traders }: Readonly<Record<"traders" | "orders" | "kills", number>>) =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    const book = yield* system.spawn(Book, { name: "book", supervision })
    const all = yield* Effect.forEach(
      Array.from({ length: traders }),
      (_, i) => system.spawn(Trader, { name: `trader/${i}`, config: { book }, supervision })
    )
    const trade = (trader: typeof all[0]) =>
      Effect.gen(function*() {
        const side = (yield* Random.nextBoolean) ? "buy" as const : "sell" as const
        yield* trader.Trade({ side, price: yield* Random.nextIntBetween(90, 110) })
      })
    const killing = Effect.gen(function*() {
      yield* Effect.sleep(yield* Random.nextIntBetween(1, 20))
      yield* Effect.ignore(system.kill(all[yield* Random.nextIntBetween(-2, traders)] ?? book))
    })
    const trading = Effect.forEach(all, (trader) => Effect.repeat(trade(trader), { times: orders - 1 }), {
      concurrency: "unbounded"
    })
    yield* Effect.all([trading, Effect.repeat(killing, { times: kills })], { concurrency: "unbounded" })
    const held = yield* Effect.forEach(all, (trader) => trader.Holds())
    const sum = (of: "cash" | "goods") => held.reduce((total, holding) => total + holding[of], 0)
    return { trades: yield* book.Trades(), cash: sum("cash"), goods: sum("goods") }
  }).pipe(Effect.scoped)

const program = Effect.gen(function*() {
  const { cash, goods, trades } = yield* market({ traders: 10, orders: 50, kills: 30 })
  yield* Console.log(`${trades} trades; the traders hold ${cash} of 10000 in cash, and ${goods} of 100 goods`)
}).pipe(Effect.provide(ActorSystem.layerFiber([BookBehavior, TraderBehavior])))

if (import.meta.main) NodeRuntime.runMain(program)
