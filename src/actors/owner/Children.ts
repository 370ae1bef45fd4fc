/**
 * The actors that one actor has spawned, as its owner keeps them: to what each belongs, and who of those that are over may still
 * be at work. Made at an actor's first child: most have none.
 */
import type { Belongs } from "../messages/requests.ts"
import type { SpawnCall } from "./Calls.ts"
import type { Guardian } from "./Guardian.ts"

/** An actor that another has spawned. */
export interface Child {
  readonly belongs: Belongs
  /** What has spawned it. */
  readonly call: SpawnCall | undefined
  /** Whether its failing for good is its parent's, too. */
  readonly pact: boolean
}

export class Children {
  private readonly living = new Map<Guardian, Child>()
  /** Those of earlier incarnations that may still be at work, and what waits for them. */
  private leaving = 0
  private alone: (() => void) | undefined

  add(guardian: Guardian, child: Child): void {
    this.living.set(guardian, child)
  }

  delete(guardian: Guardian): void {
    this.living.delete(guardian)
  }

  hasPact(guardian: Guardian): boolean {
    return this.living.get(guardian)?.pact === true
  }

  /** Ends those that belong to what is over. `gone` is called for each once nothing of it runs any more. */
  end(isOver: (child: Child) => boolean, gone?: () => void): void {
    for (const [guardian, child] of this.living) {
      if (!isOver(child)) continue
      this.living.delete(guardian)
      guardian.abort(gone)
    }
  }

  /** As `end`: and the next incarnation waits until nothing of them runs any more. */
  endFirst(isOver: (child: Child) => boolean): void {
    this.end((child) => {
      const over = isOver(child)
      if (over) this.leaving++
      return over
    }, () => this.left())
  }

  /** Whether one of those that are over may still be at work: then `task` is run when none is, in place of an earlier one. */
  awaits(task: () => void): boolean {
    if (this.leaving === 0) return false
    this.alone = task
    return true
  }

  private left(): void {
    if (--this.leaving > 0) return
    const { alone } = this
    this.alone = undefined
    alone?.()
  }
}
