/**
 * What agents decide by a rule that can be another: the model's own, a learned policy, or whoever plays the world from
 * outside, one decision after the other (`Player.ts`). An agent says what it sees and what it does with the answer.
 *
 * ```ts
 * const route = sim.decision("route", (jobs) => jobs.indexOf(Math.min(...jobs)))
 * Arrive: (self, _, sim) => route.take(self.jobs, (server) => sim.send(servers[server]!, "Job"))     // a handler
 * const server = yield* route.choose(jobs)                                                           // a process
 * ```
 */
import * as Schema from "effect/Schema"
import type { Part, PartHost } from "../Part.ts"
import { pending, type Wait } from "../Process.ts"
import { PartWait } from "./PartWait.ts"

/** What is decided: a number, or several. */
export type Action = number | ReadonlyArray<number>

/** What is seen by whoever decides. */
export type View = ReadonlyArray<number>

/** What decides where nobody from outside does. It may draw (`sim.random`), and otherwise only looks. */
export type Rule<A extends Action> = (view: View) => A

/** A decision that waits to be taken. */
export interface Undecided {
  readonly decision: Decision<Action>
  readonly view: View
  readonly act: (action: Action) => void
}

const Saved = Schema.Struct({ reward: Schema.Finite })

export class Decision<A extends Action> implements Part {
  readonly name: string
  readonly share: number
  readonly rule: Rule<A>
  readonly #host: PartHost
  #reward = 0

  constructor(host: PartHost, name: string, rule: Rule<A>, share: number) {
    this.#host = host
    this.name = name
    this.share = share
    this.rule = rule
    host.attach(name, this, share)
  }

  /**
   * In a handler: decides by what is seen. `act` is called with the answer when the handler is over and before anything else
   * happens, so this is the last that a handler does. One turn has one decision.
   */
  take(view: View, act: (action: A) => void): void {
    const host = this.#host
    host.enter(this.name, this.share)
    host.decide(this, this.#seen(view), act)
  }

  /** In a process: the answer. */
  choose(view: View): Wait<A> {
    const own = this.#seen(view)
    return new PartWait<A>(`the decision "${this.name}"`, () => {
      this.#host.enter(this.name, this.share)
      this.#host.decide(this, own, undefined)
      return pending
    }, () => {})
  }

  /** What was done is so much worth: told to whoever decides with the next decision. */
  reward(by: number): void {
    const host = this.#host
    if (host.replaying) return
    host.enter(this.name, this.share)
    if (!Number.isFinite(by)) host.refuse(`gives "${this.name}" a reward of ${by}: give a finite number`)
    this.#reward += by
  }

  /** All rewards so far. */
  get rewards(): number {
    return this.#host.note(() => this.#reward)
  }

  #seen(view: View): View {
    for (const number of view) {
      if (!Number.isFinite(number)) this.#host.refuse(`shows "${this.name}" ${number}: show finite numbers`)
    }
    return Array.from(view)
  }

  save(): unknown {
    return { reward: this.#reward }
  }

  load(saved: unknown): void {
    this.#reward = Schema.decodeUnknownSync(Saved)(saved).reward
  }
}
