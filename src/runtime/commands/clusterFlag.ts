/** The flag of the verbs that meet in a cluster: the database that it is in. */
import * as Flag from "effect/cli/Flag"

// What it says is looked at by the cluster, which repeats no password.
export const cluster = Flag.String("cluster").pipe(
  Flag.withDescription(
    "database where runners and trainers meet: postgres://user:password@host/database, or sqlite:<file> for programs of " +
      "one machine (docs/machines.md)"
  ),
  Flag.withMetavar("database"),
  Flag.optional
)
