/** What can go wrong when a run writes about itself. */
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { explain } from "../files/reason.ts"

/** A file of the run, or standard output, could not be written. */
export class ReportFault extends Schema.TaggedError<ReportFault>()("ReportFault", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `Cannot write ${this.path}: ${this.reason}.`
  }
}

/** What a fault names where it is no file that cannot be written. */
export const standardOutput = "standard output"

/** The reason where a file of the run is not where it was. */
export const gone = "it was deleted or moved while the run went on"

/** Turns a failed file operation on `path` into the fault people read. */
export const faultAt = (path: string) => (error: PlatformError): ReportFault =>
  new ReportFault({ path, reason: explain(error) })
