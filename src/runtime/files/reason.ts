/** Plain words for what the operating system says of a file that cannot be read or written. */
import type { PlatformError } from "effect/PlatformError"

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
  EFBIG: "the file is larger than the operating system lets it be",
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
