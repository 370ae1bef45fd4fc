/**
 * What may go wrong in a simulated system, by kind, and how often in one run.
 *
 * Only what a real host and a real link can show: a link keeps the order of what it carries, and nobody forges a perfect
 * report.
 *
 * - `kill`: a host dies of nothing it did: between two tasks, before or after any command of a batch, or while it reports.
 * - `exit`: the same, with its last word: an uncaught throw, `process.exit`.
 * - `wedge`: a host comes to a halt and says nothing more (an endless loop, SIGSTOP); the heartbeat finds it.
 * - `slow`, `stillborn`: a host takes longer to come up than its start deadline allows, or dies before it is up.
 * - `delay`: what travels takes up to 20 ms, not 0.3.
 * - `drop`: a command or a report does not arrive. `late`: a report arrives after others that were said later. `double`: it
 *   arrives twice. `corrupt`: it arrives as something else.
 * - `pause`: the whole program is stopped for a while and goes on.
 */
import * as Schema from "effect/Schema"
import type { Decisions } from "./Decisions.ts"

export const FaultKind = Schema.Literals([
  "kill",
  "exit",
  "wedge",
  "slow",
  "stillborn",
  "delay",
  "drop",
  "late",
  "double",
  "corrupt",
  "pause"
])
export type FaultKind = typeof FaultKind.Type

/** The kinds of faults that may happen, or how many of each at most in one run. */
export type FaultOptions = ReadonlyArray<FaultKind> | { readonly [Kind in FaultKind]?: number }

/** How many of a kind there may be where only the kind was named. */
const usual: Readonly<Record<FaultKind, number>> = {
  kill: 3,
  exit: 2,
  wedge: 1,
  slow: 1,
  stillborn: 2,
  delay: 1,
  drop: 1,
  late: 1,
  double: 1,
  corrupt: 1,
  pause: 2
}

/** All kinds, each as often as is usual. */
export const all: FaultOptions = FaultKind.literals

/** The faults of one run: how many are left, which are drawn, and how many have struck. */
export class Faults {
  /** Nothing strikes before that. */
  armed = false
  private readonly decisions: Decisions
  private readonly left = new Map<FaultKind, number>()
  private readonly struck = new Map<FaultKind, number>()

  constructor(options: FaultOptions, decisions: Decisions) {
    this.decisions = decisions
    const most: { readonly [Kind in FaultKind]?: number } = Array.isArray(options)
      ? Object.fromEntries((options as ReadonlyArray<FaultKind>).map((kind) => [kind, usual[kind]]))
      : options as { readonly [Kind in FaultKind]?: number }
    for (const kind of FaultKind.literals) {
      this.left.set(kind, decisions.choose((most[kind] ?? 0) + 1, `${kind}s`))
    }
  }

  /** How many of a kind are left. */
  of(kind: FaultKind): number {
    return this.left.get(kind) ?? 0
  }

  /** Whether a fault of this kind strikes here: once in `n` places, while some are left. */
  strikes(kind: FaultKind, n: number, label: string): boolean {
    const left = this.of(kind)
    if (left === 0 || !this.armed || !this.decisions.chance(n, `${kind} ${label}`)) return false
    this.left.set(kind, left - 1)
    this.count(kind)
    return true
  }

  /** A fault of this kind has struck. */
  count(kind: FaultKind): void {
    this.struck.set(kind, this.countOf(kind) + 1)
  }

  /** How many of a kind, or of all kinds, have struck. */
  countOf(kind: FaultKind | undefined): number {
    if (kind !== undefined) return this.struck.get(kind) ?? 0
    return [...this.struck.values()].reduce((sum, count) => sum + count, 0)
  }
}
