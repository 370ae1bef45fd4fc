/**
 * What can go wrong on a device while it computes, and what is said of it: one sentence that names the device, the
 * reason it gave, and what to do. A GPU tells of most of this later, and to nobody in particular; `webGpu.ts` listens.
 */
import { plainLine, thrownText } from "../../text/plainLine.ts"
import { DeviceFault, type DeviceName } from "../Device.ts"

/** The kinds of trouble. */
export type TroubleKind = "failed" | "lost" | "memory" | "refused" | "silent"

/** Something that went wrong on a device. */
export interface Trouble {
  readonly kind: TroubleKind
  /** The device's own words for it, as one line without a full stop; empty where it gave none. */
  readonly reason: string
}

const predicates: { readonly [Kind in TroubleKind]: string } = {
  failed: "failed",
  lost: "was lost",
  memory: "is out of memory",
  refused: "refused a command",
  silent: "does not answer"
}

const elsewhere =
  "Go on from the run's last checkpoint with --resume and --device cpu, or train anew on another device."

const mends: { readonly [Kind in TroubleKind]: string } = {
  failed: elsewhere,
  lost: elsewhere,
  memory:
    "Free the memory that other programs hold there, make --n-envs, --n-steps or --hidden smaller, or say --device cpu.",
  refused: elsewhere,
  silent: elsewhere
}

/** The first line of what a library says, short enough for a sentence and without its full stop; empty where it says nothing. */
export const firstLine = (thrown: unknown): string => {
  if (thrown === undefined || thrown === null) return ""
  const words = thrownText(thrown).trim() || (thrown instanceof Error && thrown.name !== "Error" ? thrown.name : "")
  return plainLine(words.split("\n")[0]!.trim().replace(/[.:]$/, ""), 300)
}

/** What a library threw: most have one class of error for all, and their words must do. */
export const troubleOf = (cause: unknown): Trouble => {
  const reason = firstLine(cause)
  return { kind: /\bOOM\b|out of memory|allocat/i.test(reason) ? "memory" : "failed", reason }
}

/** The sentence. */
export const faultOf = (device: DeviceName, { kind, reason }: Trouble): DeviceFault =>
  new DeviceFault({
    device,
    message: `The device ${device} ${predicates[kind]}${reason === "" ? "" : ` (${reason})`}. ${mends[kind]}`
  })
