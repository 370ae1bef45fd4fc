/** What a run knows of its cluster, where it is in one: whose runners it has, and by which term it asks them. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { type RunnerAddress, RunnerDirectory } from "../../actors/links/RunnerDirectory.ts"
import type { ClusterFault, TrainerReplaced } from "./Cluster.ts"

export interface Member {
  /** The name of the run, which all of its trainers have. */
  readonly run: string
  readonly term: number
  /** The runners that there are. */
  readonly runners: Effect.Effect<ReadonlyArray<RunnerAddress>, unknown>
}

/** Null where the run is in no cluster. */
export const Membership = Context.Reference<Member | null>("troupe/runtime/Membership", { defaultValue: () => null })

/** Who is told what a successor must know. By default nobody will come after. */
export const Successors = Context.Reference<{
  /** The run is over, with weights of this hash. */
  readonly end: (hash: string) => Effect.Effect<void, ClusterFault | TrainerReplaced>
}>("troupe/runtime/Successors", { defaultValue: () => ({ end: () => Effect.void }) })

/** The runners of a cluster are wanted, and there is no cluster. */
export class NoCluster extends Schema.TaggedError<NoCluster>()("NoCluster", {}) {
  override get message(): string {
    return "--runners cluster goes with --cluster, the database that knows them."
  }
}

/** Milliseconds between two looks at who is there. */
const look = 500

/** The runners of the cluster, as they come and go, for the scope. */
export const runnersOfCluster = Effect.fnUntraced(function*(member: Member | null) {
  if (member === null) return yield* new NoCluster()
  const directory = new RunnerDirectory([], undefined, { fixed: false })
  // While the database does not answer, those that were there are taken to be there.
  const update = Effect.ignore(Effect.map(member.runners, (addresses) => directory.update(addresses)))
  yield* update
  yield* update.pipe(Effect.repeat(Schedule.spaced(look)), Effect.forkScoped)
  return { runners: directory }
})
