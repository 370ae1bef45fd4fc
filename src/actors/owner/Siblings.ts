/**
 * The actors that one supervision value looks after, and what the death of one means for the others.
 *
 * One-for-one: each actor is alone. One-for-all and rest-for-one: all actors of a system that were spawned with the same
 * value belong together, in the order they were spawned. When one dies, all of them (or those spawned after it) are ended,
 * and when the last is gone they start again in order, each with its own last committed state and its unanswered messages.
 * They share one count of restarts; when it is exhausted, all fail.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Death } from "../Death.ts"
import * as Supervision from "../Supervision.ts"

/** An actor as its siblings see it. */
export interface Sibling {
  readonly name: string
  /** Whether an incarnation lives, which must be ended before a joint restart. */
  readonly placed: boolean
  /** Ends the incarnation; `lost` follows when it is gone. */
  halt(): void
  /** Places the next incarnation; whether that counts as a restart. */
  resurrect(counted: boolean): void
  /** Fails the message that was in hand at a death; false where there was none. */
  dropInHand(death: Death): boolean
  /** Gives it up for good. `escalated`: and its parent is to answer for it. */
  fail(death: Death, escalated?: boolean): void
}

interface Joint {
  readonly all: ReadonlyArray<Sibling>
  readonly going: Set<Sibling>
  readonly death: Death
  readonly restart: number
}

export class Siblings {
  private readonly supervision: Supervision.Supervision
  /** Made at the first restart: most actors never have one. */
  private log: Supervision.RestartLog | undefined
  private readonly now: () => number
  private readonly fork: (effect: Effect.Effect<void>) => void
  /** Of a group, in the order they were spawned. Who is supervised one for one is alone, and not listed. */
  private members: Array<Sibling> | undefined
  /** The restart under way: who takes part, and who of them has still to go. */
  private joint: Joint | undefined

  constructor(
    supervision: Supervision.Supervision,
    now: () => number,
    fork: (effect: Effect.Effect<void>) => void
  ) {
    this.supervision = supervision
    this.now = now
    this.fork = fork
  }

  join(member: Sibling): void {
    if (this.supervision.strategy !== "one-for-one") (this.members ??= []).push(member)
  }

  leave(member: Sibling): void {
    const index = this.members?.indexOf(member) ?? -1
    if (index >= 0) this.members?.splice(index, 1)
    this.gone(member)
  }

  /** Why `member` goes down, when that is not its own doing. */
  reason(member: Sibling): Death | undefined {
    if (this.joint?.going.has(member) !== true) return undefined
    return new Death({ ...this.joint.death, kind: "Sibling" })
  }

  /**
   * An incarnation of `member` is gone against its will, the `consecutive`-th in a row without progress. A `bystander`'s
   * death is somebody else's doing, who answers for it: it is not counted and not waited for.
   */
  lost(member: Sibling, death: Death, consecutive: number, bystander: boolean): void {
    if (this.joint?.all.includes(member)) return this.gone(member)
    const directive = Supervision.directive(this.supervision, death)
    if (typeof directive !== "string") return member.fail(directive)
    switch (directive) {
      case "stop":
        return member.fail(death)
      case "escalate":
        return this.giveUp(member, death, true)
      case "restart":
        return this.restart(member, death, consecutive, bystander)
      case "resume":
        if (!member.dropInHand(death)) return this.restart(member, death, consecutive, bystander)
        return this.begin([member], death, "at once")
      default:
        return directive satisfies never
    }
  }

  /** `member` is gone because nobody wanted what it did any more, or to go on elsewhere: nothing is held against it. */
  cancelled(member: Sibling, death: Death): void {
    if (this.joint?.all.includes(member)) return this.gone(member)
    this.begin([member], death, "at once")
  }

  private restart(member: Sibling, death: Death, consecutive: number, bystander: boolean): void {
    const hopeful = consecutive < this.supervision.maxConsecutive
    const counted = hopeful && !bystander
    const restart = counted ? this.restarts.next(this.now()) : 0
    if (restart === 0 && (counted || !hopeful)) return this.giveUp(member, death)
    const all = this.affected(member)
    if (all.length === 1) return this.begin(all, death, restart)
    const going = new Set(all.filter((other) => other !== member && other.placed))
    this.joint = { all, going, death, restart }
    for (const other of going) other.halt()
    this.gone(member)
  }

  /** `member` is not tried again, nor is anyone of its group. */
  giveUp(member: Sibling, death: Death, escalated = false): void {
    // Who fails leaves the list.
    const failing = Array.from(this.members ?? [member])
    for (const each of failing) each.fail(death, escalated)
  }

  /** Whether its members' children end with each incarnation. */
  get stopsChildren(): boolean {
    return this.supervision.children === "stop"
  }

  private get restarts(): Supervision.RestartLog {
    return this.log ??= new Supervision.RestartLog(this.supervision)
  }

  private affected(member: Sibling): ReadonlyArray<Sibling> {
    const { members = [member] } = this
    return members.slice(this.supervision.strategy === "rest-for-one" ? members.indexOf(member) : 0)
  }

  private gone(member: Sibling): void {
    if (this.joint === undefined) return
    const { all, death, going, restart } = this.joint
    going.delete(member)
    if (going.size > 0) return
    this.joint = undefined
    this.begin(all, death, restart)
  }

  /** `restart` is its number in the window, 0 where it does not count there, and `at once` where it counts nowhere. */
  private begin(all: ReadonlyArray<Sibling>, death: Death, restart: number | "at once"): void {
    const waiting = restart === 0 || restart === "at once" ? Effect.yieldNow : this.restarts.pause(restart, death)
    this.fork(Effect.flatMap(Effect.exit(waiting), (pause) =>
      Effect.sync(() => {
        for (const member of all) {
          if (Exit.isSuccess(pause)) member.resurrect(restart !== "at once")
          else member.fail(Supervision.pauseFailed(death, pause.cause))
        }
      })))
  }
}
