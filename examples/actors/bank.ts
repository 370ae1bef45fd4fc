/**
 * A bank: transfers between accounts while everybody is killed at random, and not a cent is lost or made.
 *
 * A branch opens accounts (they live as long as it does) and moves money between them, from within its handlers. Accounts ask
 * nobody, so nobody waits in a circle. A branch that dies between the two halves of a transfer runs its message again: what it
 * has withdrawn is not withdrawn twice, what it has not deposited is deposited. `node examples/actors/bank.ts`
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Exit, Option, Random, Schema, type Scope } from "effect"
import { Actor, ActorSystem, Supervision } from "troupe/actors"

export class Overdrawn extends Schema.TaggedError<Overdrawn>()("Overdrawn", { balance: Schema.Int }) {}

const amount = { amount: Schema.Int }

export class Account extends Actor.make("Account", {
  state: Schema.Struct({ balance: Schema.Int }),
  protocol: [
    Actor.Rpc.make("Deposit", { payload: amount }),
    Actor.Rpc.make("Withdraw", { payload: amount, error: Overdrawn }),
    Actor.Rpc.make("Balance", { success: Schema.Int })
  ]
}) {}

export const AccountBehavior = Account.behavior(({ restored }) =>
  Effect.sync(() => {
    let balance = Option.match(restored, { onNone: () => 0, onSome: (state) => state.balance })
    return {
      handlers: {
        Deposit: ({ amount }) => Effect.sync(() => void (balance += amount)),
        Withdraw: ({ amount }) =>
          Effect.suspend(() => {
            if (balance < amount) return Effect.fail(new Overdrawn({ balance }))
            balance -= amount
            return Effect.void
          }),
        Balance: () => Effect.sync(() => balance)
      },
      snapshot: () => ({ balance })
    }
  })
)

const account = Actor.Ref(Account)

export class Branch extends Actor.make("Branch", {
  protocol: [
    Actor.Rpc.make("Open", { payload: { name: Schema.String, ...amount }, success: account }),
    Actor.Rpc.make("Transfer", { payload: { from: account, to: account, ...amount }, error: Overdrawn })
  ]
}) {}

/** Dies as often as it is killed. */
export const supervision = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY })
const children = { supervision: Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY }) }

export const BranchBehavior = Branch.behavior<never, ActorSystem, Scope.Scope>(() =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    return {
      handlers: {
        Open: ({ amount, name }) =>
          Effect.gen(function*() {
            const opened = yield* system.spawn(Account, { name, ...children })
            yield* opened.Deposit({ amount })
            return opened
          }).pipe(Effect.orDie),
        Transfer: ({ amount, from, to }) =>
          Effect.gen(function*() {
            yield* from.Withdraw({ amount })
            yield* to.Deposit({ amount })
          }).pipe(Effect.catchIf((error) => error._tag !== "Overdrawn", (error) => Effect.die(error)))
      }
    }
  })
)

/** Opens accounts with 100 each, has branches transfer between them, and kills whomever it draws. The sum at the end. */
export const bank = ({ accounts, kills, transfers }: Readonly<Record<"accounts" | "kills" | "transfers", number>>) =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    const branches = yield* Effect.forEach(["north", "south"], (name) => system.spawn(Branch, { name, supervision }))
    const opened = yield* Effect.forEach(
      Array.from({ length: accounts }),
      (_, i) => branches[i % 2]!.Open({ name: `account/${i}`, amount: 100 })
    )
    const any = <A>(all: ReadonlyArray<A>) => Effect.map(Random.nextIntBetween(0, all.length - 1), (i) => all[i]!)
    const transfer = Effect.gen(function*() {
      const payload = { from: yield* any(opened), to: yield* any(opened), amount: yield* Random.nextIntBetween(1, 50) }
      return Exit.isSuccess(yield* Effect.exit((yield* any(branches)).Transfer(payload)))
    })
    const killing = Effect.gen(function*() {
      yield* Effect.sleep(yield* Random.nextIntBetween(1, 20))
      yield* Effect.ignore(system.kill(yield* any([...branches, ...opened])))
    })
    const [done] = yield* Effect.all([
      Effect.all(Array.from({ length: transfers }, () => transfer), { concurrency: 8 }),
      Effect.repeat(killing, { times: kills })
    ], { concurrency: "unbounded" })
    const balances = yield* Effect.forEach(opened, (each) => each.Balance())
    return { moved: done.filter((ok) => ok).length, sum: balances.reduce((sum, balance) => sum + balance, 0) }
  }).pipe(Effect.scoped)

const program = Effect.gen(function*() {
  const { moved, sum } = yield* bank({ accounts: 20, transfers: 2000, kills: 50 })
  yield* Console.log(`${moved} transfers, and the accounts hold ${sum} of 2000`)
}).pipe(Effect.provide(ActorSystem.layerFiber([AccountBehavior, BranchBehavior])))

if (import.meta.main) NodeRuntime.runMain(program)
