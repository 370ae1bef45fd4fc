/**
 * A world whose decisions of one name are taken from outside: it goes on to the next of them, shows what is seen there, and
 * waits for an action. What happens is what would happen if a rule of the model had said the same, since nothing comes between
 * what is seen and what is done.
 */
import { Engine } from "./Engine.ts"
import { InvalidUse } from "./errors.ts"
import type { AnyModel } from "./Model.ts"
import { type Action, Decision, type View } from "./parts/Decision.ts"

export interface PlayerOptions {
  /** The name of the decision. */
  readonly decision: string
  readonly seed: number | bigint
  readonly config?: Readonly<Record<string, unknown>>
}

export class Player {
  readonly #engine: Engine
  readonly #decision: Decision<Action>
  #view: View = []
  #reward = 0
  #rewardsBefore = 0
  #isOver = false

  /** Goes on to the first decision. Throws a `SimulationFault`. */
  constructor(model: AnyModel, { config, decision, seed }: PlayerOptions) {
    this.#engine = new Engine(model, { seed, ...(config === undefined ? {} : { config }) })
    const part = this.#engine.parts.get(decision)?.part
    if (!(part instanceof Decision)) this.#refuse(`has no decision "${decision}": make it with sim.decision`)
    this.#decision = part
    this.#engine.play(part)
    this.#engine.run(Infinity)
    this.#look()
    if (this.#isOver) this.#refuse(`came to its end without the decision "${decision}"`)
  }

  #refuse(problem: string): never {
    throw new InvalidUse({ agent: this.#engine.model.modelName, at: this.#engine.now, problem })
  }

  get now(): number {
    return this.#engine.now
  }

  /** What is seen at the decision that is to be taken; where the world is over, at the last. */
  get view(): View {
    return this.#view
  }

  /** What was given between the last two decisions, or since the last. */
  get reward(): number {
    return this.#reward
  }

  /** Whether nothing is left to happen. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Takes the decision, and goes on to the next. Throws a `SimulationFault`. */
  act(action: Action): void {
    this.#engine.act(action)
    this.#look()
  }

  #look(): void {
    const rewards = this.#decision.rewards
    this.#reward = rewards - this.#rewardsBefore
    this.#rewardsBefore = rewards
    const view = this.#engine.viewOfDecision
    this.#isOver = view === undefined
    this.#view = view ?? this.#view
  }
}
