/** What can go wrong when a run writes about itself, and the plain words for what the operating system said. */
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"

/** A file of the run, or standard output, could not be written. */
export class ReportFault extends Schema.TaggedError<ReportFault>()("ReportFault", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `Cannot write ${this.path}: ${this.reason}.`
  }
}

const words: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "the operating system does not permit it",
  EROFS: "the file system is read-only",
  ENOENT: "there is no such folder",
  ENOTDIR: "a part of the path is a file, not a folder",
  EEXIST: "something of that name exists",
  EISDIR: "it is a folder",
  ENAMETOOLONG: "the name is too long",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EMFILE: "too many files are open",
  ELOOP: "its symbolic links go in a circle",
  EPIPE: "nobody reads it any more"
}

/** The reason of a failed file operation in a few words, without the path. */
export const explain = (error: PlatformError): string => {
  const { cause } = error
  if (cause instanceof Error) {
    const code = "code" in cause && typeof cause.code === "string" ? cause.code : ""
    return words[code] ?? cause.message.replace(/\.$/, "")
  }
  return error.reason._tag === "BadArgument" ? "it is not a possible path" : error.reason.message
}

/** Turns a failed file operation on `path` into the fault people read. */
export const faultAt = (path: string) => (error: PlatformError): ReportFault =>
  new ReportFault({ path, reason: explain(error) })
