/**
 * Many worlds of one environment side by side, stepped together in memory that the caller has: what EnvWorkers step, in
 * the slots of a run, and what `VectorEnvironment` makes flat arrays for. Any definition can be had so; one with flat
 * dynamics is quicker. Hot path: no Effect, and no allocation unless something is wrong.
 */
import { Pcg64 } from "../random/index.ts"
import type { EnvironmentDefinition } from "./EnvironmentDefinition.ts"
import { type FlatDynamics, flatOf, type FlatOutcome } from "./FlatDynamics.ts"
import type { ActionOf, ActionSpace } from "./spaces/Space.ts"
import { type Misstep, missteps, Stepper } from "./Stepper.ts"

/** Where one world lies. */
export interface WorldMemory {
  /** `stateSize` numbers. */
  readonly state: Float64Array
  /** The words of its random stream. */
  readonly random: Uint32Array
  /** `observationSpace.size` numbers. */
  readonly observation: Float32Array
}

/** What a world did that it must not do. */
export interface WorldFault extends Misstep {
  /** Which. */
  readonly world: number
}

/** Takes a step of the worlds `first`, ..., `end` - 1, or else of all, from their actions, and writes what came of it. */
type StepAll<A extends ActionSpace> = (
  actions: ArrayLike<ActionOf<A>>,
  first?: number,
  end?: number
) => WorldFault | undefined

export class Worlds<A extends ActionSpace = ActionSpace> {
  /** How many. */
  readonly count: number
  /** Of each world the reward of its last step. */
  readonly rewards: Float64Array
  /** Of each world 1 where its last step ended the task, or cut its episode short; otherwise 0. */
  readonly terminated: Uint8Array
  readonly truncated: Uint8Array
  private readonly memory: ReadonlyArray<WorldMemory>
  private readonly steppers: ReadonlyArray<Stepper<A>>
  private readonly streams: ReadonlyArray<Pcg64>
  /**
   * Takes a step of every world, and resets none: one whose episode is over is left as it ended. For a Discrete space
   * an Int32Array of actions will do; for a Box a vector each.
   */
  readonly step: StepAll<A>

  private constructor(
    definition: EnvironmentDefinition<A>,
    memory: ReadonlyArray<WorldMemory>,
    steppers: ReadonlyArray<Stepper<A>>
  ) {
    this.memory = memory
    this.steppers = steppers
    this.streams = memory.map(({ random }) => Pcg64.view(random))
    this.count = memory.length
    this.rewards = new Float64Array(this.count)
    this.terminated = new Uint8Array(this.count)
    this.truncated = new Uint8Array(this.count)
    const flat = flatOf(definition.create)
    const [first] = memory
    const together = first !== undefined &&
      memory.every(({ observation, state }) =>
        state.buffer === first.state.buffer && observation.buffer === first.observation.buffer
      )
    this.step = flat !== undefined && together
      ? this.flatStep(flat, first)
      : (actions, first, end) => this.stepEach(actions, first, end)
  }

  /** Worlds in this memory, one for each entry. `definition` must have its time limit applied. */
  static make<A extends ActionSpace>(
    definition: EnvironmentDefinition<A>,
    memory: ReadonlyArray<WorldMemory>
  ): Worlds<A> | WorldFault {
    const steppers: Array<Stepper<A>> = []
    for (const { state } of memory) {
      const stepper = Stepper.create(definition, state)
      if (!(stepper instanceof Stepper)) return { world: steppers.length, ...stepper }
      steppers.push(stepper)
    }
    return new Worlds(definition, memory, steppers)
  }

  /** Starts an episode of one world, its stream going on. */
  reset(world: number): WorldFault | undefined {
    const stepper = this.steppers[world]!
    const misstep = stepper.reset(this.streams[world]!) ?? stepper.observe(this.memory[world]!.observation)
    return misstep === undefined ? undefined : { world, ...misstep }
  }

  /** Writes which actions are legal in one world; `judge` as in `Stepper`. */
  mask(world: number, into: Uint8Array, judge: (mask: Uint8Array) => string | undefined): WorldFault | undefined {
    const misstep = this.steppers[world]!.mask(into, judge)
    return misstep === undefined ? undefined : { world, ...misstep }
  }

  /** As `step`, each by its own dynamics; `before` hears which world is next. */
  stepEach(
    actions: ArrayLike<ActionOf<A>>,
    first = 0,
    end = this.count,
    before?: (world: number) => void
  ): WorldFault | undefined {
    const { memory, rewards, steppers, streams, terminated, truncated } = this
    // Whoever wants to know which world is next wants them one by one.
    if (before === undefined) { for (let i = first; i < end; i++) steppers[i]!.ahead(actions[i]!, streams[i]!) }
    for (let i = first; i < end; i++) {
      before?.(i)
      const stepper = steppers[i]!
      const misstep = stepper.step(actions[i]!, streams[i]!) ?? stepper.observe(memory[i]!.observation)
      if (misstep !== undefined) return { world: i, ...misstep }
      rewards[i] = stepper.reward
      terminated[i] = stepper.terminated ? 1 : 0
      truncated[i] = stepper.truncated ? 1 : 0
    }
    return undefined
  }

  /** A step of each by the dynamics that they share. */
  private flatStep(flat: FlatDynamics<ActionOf<A>>, first: WorldMemory): StepAll<A> {
    const { count, memory, rewards, streams, terminated, truncated } = this
    const size = first.observation.length
    const states = new Float64Array(first.state.buffer, 0, first.state.buffer.byteLength >>> 3)
    const observations = new Float32Array(first.observation.buffer, 0, first.observation.buffer.byteLength >>> 2)
    const at = Int32Array.from(memory, ({ state }) => state.byteOffset / state.BYTES_PER_ELEMENT)
    const to = Int32Array.from(memory, ({ observation }) => observation.byteOffset / observation.BYTES_PER_ELEMENT)
    const outcome: FlatOutcome = { reward: 0, terminated: false, truncated: false }
    return (actions, begin = 0, end = count) => {
      let i = begin
      try {
        for (; i < end; i++) {
          outcome.truncated = false
          flat.step(states, at[i]!, actions[i]!, streams[i]!, outcome)
          flat.observe(states, at[i]!, observations, to[i]!)
          const { reward, terminated: ended, truncated: cut }: FlatOutcome = outcome
          rewards[i] = reward
          terminated[i] = ended ? 1 : 0
          truncated[i] = cut ? 1 : 0
          // What is no number takes any sum along.
          let sum = Math.fround(reward)
          for (let k = to[i]!, last = k + size; k < last; k++) sum += observations[k]!
          if (sum - sum !== 0 || typeof ended !== "boolean" || typeof cut !== "boolean") {
            const wrong = missteps.outcome(outcome, memory[i]!.observation)
            if (wrong !== undefined) return { world: i, ...wrong }
          }
        }
        return undefined
      } catch (cause) {
        return { world: i, ...missteps.thrown("its step", cause) }
      }
    }
  }
}
