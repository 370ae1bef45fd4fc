/**
 * The decisions of a host's model: one is taken when the turn is over in which it came up, by its rule or by somebody outside.
 */
import type { Action, Decision, Undecided, View } from "./parts/Decision.ts"
import type { Processes } from "./Processes.ts"

export class Decisions {
  /** What is to be decided when the turn is over. */
  undecided: Undecided | undefined
  /** The decision that is taken from outside. */
  #played: Decision<Action> | undefined
  readonly #processes: Processes
  readonly #refuse: (problem: string) => never

  constructor(processes: Processes, refuse: (problem: string) => never) {
    this.#processes = processes
    this.#refuse = refuse
  }

  clear(): void {
    this.undecided = undefined
  }

  /** When this turn is over `act` is called with what is decided; without it, the process that begins to wait goes on with that. */
  decide<A extends Action>(decision: Decision<A>, view: View, act: ((action: A) => void) | undefined): void {
    const processes = this.#processes
    if (this.undecided !== undefined) {
      this.#refuse(
        `takes a second decision, "${decision.name}", in one turn: let a message to itself have a turn of its own`
      )
    }
    if (act === undefined) {
      const process = processes.beginning!
      const { turn } = process
      const go = (action: Action) => {
        // It may have been interrupted in the same turn.
        if (process.turn === turn && process.wait !== undefined) processes.resume(process, action, false)
      }
      this.undecided = { decision, view, act: go }
      return
    }
    if (processes.running !== undefined) {
      this.#refuse(`takes the decision "${decision.name}" in a process: yield* what choose gives`)
    }
    // Whoever plays the world takes actions of the kind that the rule takes.
    this.undecided = { decision, view, act: (action) => act(action as A) }
  }

  /** The turn is over: what was to be decided in it is decided by its rule. False where somebody outside does it. */
  settle(): boolean {
    for (let next = this.undecided; next !== undefined; next = this.undecided) {
      if (next.decision === this.#played) return false
      this.undecided = undefined
      next.act(next.decision.rule(next.view))
    }
    return true
  }

  /** From now on this decision is taken from outside. */
  play(decision: Decision<Action>): void {
    this.#played = decision
  }

  /** Takes the decision that waits. */
  act(action: Action): void {
    const { undecided } = this
    if (undecided === undefined) return this.#refuse("is told an action where nothing is to be decided")
    this.undecided = undefined
    undecided.act(action)
  }
}
