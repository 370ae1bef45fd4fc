/**
 * Ways to bring a host down on purpose (`system.kill(actor, how)`), as the world does it: to see that nothing is lost.
 *
 * - `terminate`: ended from outside, in the middle of whatever it does (a thread's `terminate`, SIGKILL to a process).
 * - `exit`, `throw`, `reject`: it calls `process.exit`, throws where nobody catches, leaves a rejection unhandled.
 * - `loop`: it computes for ever; `stop`: it is stopped (SIGSTOP). Both are found by the heartbeat only.
 * - `memory`: it fills its heap. For processes: a thread may take the program with it.
 *
 * All but `terminate` are done by the host itself, when its event loop comes to it.
 */
import * as Schema from "effect/Schema"
import type { Placement } from "./Placement.ts"

export const Fault = Schema.Literals(["terminate", "exit", "throw", "reject", "loop", "stop", "memory"])
export type Fault = typeof Fault.Type

/** What can befall the hosts of each placement. */
export const possible: Readonly<Record<Placement, ReadonlyArray<Fault>>> = {
  fiber: ["terminate", "throw"],
  thread: ["terminate", "exit", "throw", "reject", "loop"],
  process: ["terminate", "exit", "throw", "reject", "loop", "stop", "memory"],
  runner: ["terminate", "exit", "throw", "reject", "loop", "stop", "memory"]
}

/** Those of them that are noticed at once: nobody has to wait for a heartbeat, or until memory is full. */
export const quick: Readonly<Record<Placement, ReadonlyArray<Fault>>> = {
  fiber: ["terminate", "throw"],
  thread: ["terminate", "exit", "throw", "reject"],
  process: ["terminate", "exit", "throw", "reject"],
  runner: ["terminate", "exit", "throw", "reject"]
}

/** What an injected fault is thrown as. */
export class Injected extends Schema.TaggedError<Injected>()("Injected", { fault: Fault }) {
  override get message(): string {
    return `a fault was injected: ${this.fault}`
  }
}
