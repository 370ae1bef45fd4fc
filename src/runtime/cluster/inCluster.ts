/**
 * Trains where others may train the same run: waits until nobody does, goes on where they left off, and stops as soon as it
 * is the trainer no longer.
 *
 * A trainer that was only stopped may wake up at any moment, in the middle of a write: its runners refuse it by its term, and
 * the run's folder by a lock that a higher term has taken (`files/Fence.ts`).
 */
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as path from "node:path"
import { plainLine } from "../../text/plainLine.ts"
import { CurrentFence, Fence } from "../files/Fence.ts"
import { Cluster, TrainerReplaced } from "./Cluster.ts"
import { Membership, Successors } from "./Membership.ts"

/** `train` is given the folder to go on from, where there is one. */
export const inCluster = Effect.fnUntraced(function*<A, E, R>(
  { cluster, resume, run }: { readonly cluster: string; readonly run: string; readonly resume: string | undefined },
  train: (resume: string | undefined) => Effect.Effect<A, E, R>
) {
  const services = yield* Layer.build(Cluster.layer(cluster))
  const { elect, runners } = Context.get(services, Cluster)
  const elected = yield* elect(run, Console.error(`Another trainer has the run ${run}: waiting to take it over.`))
  const { folder, keep, lost, outcome, term } = elected
  if (outcome !== null) {
    return yield* Console.error(
      `The run ${run} is over, weights ${plainLine(outcome, 100)}. Another --cluster-run begins anew.`
    )
  }
  const fs = yield* FileSystem.FileSystem
  // Where there is no run in it yet, it begins anew elsewhere.
  const isBegun = folder !== null &&
    (yield* Effect.orElseSucceed(fs.exists(path.join(folder, "config.json")), () => false))
  if (isBegun) yield* Console.error(`Taking over the run ${run}, term ${term}, in ${plainLine(folder, 300)}.`)
  // Who has taken the folder asks whether it is still to: where it was stopped before, another may be through with it.
  const fence = new Fence(term, keep)
  yield* train(isBegun ? folder : resume).pipe(
    Effect.provideService(Membership, { run, term, runners }),
    Effect.provideService(Successors, { end: elected.end }),
    Effect.provideService(CurrentFence, fence),
    // Who meets the fence has been replaced, whatever it was about to write.
    Effect.catchCause((cause): Effect.Effect<never, E | TrainerReplaced, R> =>
      fence.isPassed ? Effect.fail(new TrainerReplaced({ run, term })) : Effect.failCause(cause)
    ),
    // Before it is interrupted: it has nothing more to keep, nor to say of how to go on.
    Effect.raceFirst(Effect.tapError(lost, (error) =>
      Effect.sync(() => {
        if (error instanceof TrainerReplaced) fence.isPassed = true
      })))
  )
}, Effect.scoped)
