/** The flag of the verbs that meet in a cluster: the database that it is in. */
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"

export const cluster = Flag.String("cluster").pipe(
  Flag.withDescription(
    "database where runners and trainers meet: sqlite:<file>, for programs of one machine (docs/machines.md)"
  ),
  Flag.withMetavar("sqlite:<file>"),
  Flag.withSchema(Schema.String.check(Schema.isPattern(/^sqlite:.+$/))),
  Flag.optional
)
