/**
 * Trains where others may train the same run: waits until nobody does, goes on where they left off, and stops as soon as it
 * is the trainer no longer.
 *
 * Whoever takes a run over works in a copy of its folder. A trainer that was only stopped may wake up at any moment, in the
 * middle of a write: it finds its own folder as it was, and the run goes on in another, so there is nothing that both
 * write. Its runners refuse it by its term.
 */
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as path from "node:path"
import { plainLine } from "../../text/plainLine.ts"
import * as FolderLock from "../files/FolderLock.ts"
import { explain } from "../files/reason.ts"
import { Cluster } from "./Cluster.ts"
import { Membership, Successors } from "./Membership.ts"

/** The folder of a run cannot be taken over. */
export class NotTakenOver extends Schema.TaggedError<NotTakenOver>()("NotTakenOver", {
  folder: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `The run in ${plainLine(this.folder, 300)} cannot be taken over: ${this.reason}.`
  }
}

/** A copy of a run's folder for the trainer of a term; undefined where there is no run in it yet. */
const takeOver = Effect.fnUntraced(function*(folder: string, term: number) {
  const fs = yield* FileSystem.FileSystem
  if (!(yield* Effect.orElseSucceed(fs.exists(path.join(folder, "config.json")), () => false))) return undefined
  const copy = `${folder.replace(/__term\d+$/, "")}__term${term}`
  const copied = fs.copy(folder, copy, { overwrite: true }).pipe(
    Effect.andThen(fs.remove(path.join(copy, FolderLock.name), { force: true }))
  )
  yield* Effect.mapError(copied, (error) => new NotTakenOver({ folder, reason: explain(error) }))
  return copy
})

/** `train` is given the folder to go on from, where there is one. */
export const inCluster = Effect.fnUntraced(function*<A, E, R>(
  { cluster, resume, run }: { readonly cluster: string; readonly run: string; readonly resume: string | undefined },
  train: (resume: string | undefined) => Effect.Effect<A, E, R>
) {
  const services = yield* Layer.build(Cluster.layer(cluster))
  const { elect, runners } = Context.get(services, Cluster)
  const elected = yield* elect(run, Console.error(`Another trainer has the run ${run}: waiting to take it over.`))
  const { folder, lost, outcome, term } = elected
  if (outcome !== null) {
    return yield* Console.error(
      `The run ${run} is over, weights ${plainLine(outcome, 100)}. Another --cluster-run begins anew.`
    )
  }
  const own = folder === null ? undefined : yield* takeOver(folder, term)
  if (own !== undefined) yield* Console.error(`Taking over the run ${run}, term ${term}, in ${plainLine(own, 300)}.`)
  yield* train(own ?? resume).pipe(
    Effect.provideService(Membership, { run, term, runners }),
    Effect.provideService(Successors, {
      keep: (folder) => Effect.orDie(elected.keep(folder)),
      end: (hash) => Effect.orDie(elected.end(hash))
    }),
    Effect.raceFirst(lost)
  )
}, Effect.scoped)
