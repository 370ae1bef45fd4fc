/**
 * An environment for people: Gymnasium's contract over a definition, in Effect. It owns the memory of one world and its
 * random stream, applies the time limit, and turns what goes wrong into typed failures. Workers step `Dynamics` directly.
 *
 * Resetting is the caller's: after `terminated` or `truncated` the episode is over, and steps taken without a reset are
 * undefined in the environment's own terms (CartPole goes on and gives 0). The collectors of a run reset in the same step
 * and keep the final observation, so that a truncated episode can still be valued by it.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { isEntropy, Pcg64 } from "../random/index.ts"
import type { EnvironmentDefinition, JsonRecord } from "./EnvironmentDefinition.ts"
import { definitionProblem, type InvalidDefinition } from "./EnvironmentDefinition.ts"
import { EnvironmentFault } from "./EnvironmentFault.ts"
import { configure, joinReference } from "./options.ts"
import { isList } from "./spaces/shapes.ts"
import type { ActionOf, ActionSpace, Observation, ObservationSpace } from "./spaces/Space.ts"
import { type Misstep, Stepper } from "./Stepper.ts"
import { shown } from "./thrown.ts"
import { TimeLimit } from "./wrappers/TimeLimit.ts"

/** An action outside the action space. */
export class InvalidAction extends Schema.TaggedError<InvalidAction>()("InvalidAction", {
  id: Schema.String,
  action: Schema.String,
  actionSpace: Schema.String
}) {
  override get message(): string {
    return `The action ${this.action} is not in ${this.actionSpace}, the action space of "${this.id}".`
  }
}

/** `step` before the first `reset`. */
export class ResetNeeded extends Schema.TaggedError<ResetNeeded>()("ResetNeeded", { id: Schema.String }) {
  override get message(): string {
    return `The environment "${this.id}" has no episode yet: call reset before step.`
  }
}

/** A seed that is no non-negative integer. */
export class InvalidSeed extends Schema.TaggedError<InvalidSeed>()("InvalidSeed", {
  id: Schema.String,
  seed: Schema.String
}) {
  override get message(): string {
    return `The environment "${this.id}" cannot be seeded with ${this.seed}: give an integer from 0 to 2^53 - 1, or a bigint.`
  }
}

/** A snapshot taken of another environment. */
export class SnapshotMismatch extends Schema.TaggedError<SnapshotMismatch>()("SnapshotMismatch", {
  id: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `The snapshot does not fit the environment "${this.id}": ${this.problem}.`
  }
}

/** The whole of an environment: its state, its random stream, where it is in its episode. Kept as bytes, so that -0 and NaN survive. */
export class EnvironmentSnapshot extends Schema.Class<EnvironmentSnapshot>("troupe/envs/EnvironmentSnapshot")({
  id: Schema.String,
  /** Float64, little-endian: `stateSize` numbers and the elapsed steps where there is a limit. */
  state: Schema.Uint8Array,
  /** The ten words of the Pcg64, little-endian. */
  random: Schema.Uint8Array,
  /** Steps since the last reset; -1 before the first. */
  steps: Schema.Int
}) {}

export interface EnvironmentSpec {
  readonly id: string
  readonly maxEpisodeSteps: number | undefined
  readonly rewardThreshold: number | undefined
}

export interface ResetOptions {
  /** Starts the random stream of this seed. Without it the stream goes on. */
  readonly seed?: number | bigint
  /** What the environment documents, such as bounds of the starting state. */
  readonly options?: JsonRecord
}

export interface ResetResult {
  readonly observation: Observation
  readonly info: JsonRecord
}

export interface StepResult {
  readonly observation: Observation
  readonly reward: number
  /** The task itself ended. */
  readonly terminated: boolean
  /** The episode was cut short, by the time limit or the environment. Both may be true. */
  readonly truncated: boolean
  readonly info: JsonRecord
}

export interface Environment<A extends ActionSpace = ActionSpace> {
  readonly spec: EnvironmentSpec
  readonly observationSpace: ObservationSpace
  readonly actionSpace: A
  /** Starts an episode. A first reset without a seed takes one from Effect's `Random`. */
  reset(options?: ResetOptions): Effect.Effect<ResetResult, InvalidSeed | EnvironmentFault>
  step(action: ActionOf<A>): Effect.Effect<StepResult, InvalidAction | ResetNeeded | EnvironmentFault>
  /** The whole of the environment, to be restored here, elsewhere or later. */
  snapshot(): Effect.Effect<EnvironmentSnapshot>
  /** Goes back to a snapshot: the same actions then give the same results, resets without a seed included. */
  restore(snapshot: EnvironmentSnapshot): Effect.Effect<void, SnapshotMismatch>
}

/**
 * Checks a definition and gives it back, typed. Throws `InvalidDefinition` at once, since it stands at the top level of
 * the environment's file; `loadEnvironment` and `make` turn that into a typed failure.
 */
const define = <A extends ActionSpace>(definition: EnvironmentDefinition<A>): EnvironmentDefinition<A> => {
  const problem = definitionProblem(definition)
  if (problem !== undefined) throw problem
  return definition
}

const bytesOf = (view: Float64Array | Uint32Array): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength)

const shownAction = (action: unknown): string => isList(action) ? `[${Array.from(action).join(", ")}]` : shown(action)

/** One environment of a definition, in memory of its own. `step` may be called after the first `reset`. */
const make = Effect.fnUntraced(function*<A extends ActionSpace>(
  definition: EnvironmentDefinition<A>
): Effect.fn.Return<Environment<A>, InvalidDefinition | EnvironmentFault> {
  const problem = definitionProblem(definition)
  if (problem !== undefined) return yield* problem
  const { actionSpace, id, observationSpace } = definition
  const made = joinReference(id, definition.configured ?? {}, definition.wrapped ?? [])
  const limited = TimeLimit.wrap(definition)
  const state = new Float64Array(limited.stateSize)
  const random = Pcg64.view(new Uint32Array(Pcg64.words))
  const flat = new Float32Array(observationSpace.size)
  // A Box takes even these; a one-hot vector is none of them.
  const takesAnyNumbers = observationSpace.decodeProblem(flat.fill(NaN)) === undefined
  let seeded = false
  let steps = -1

  const fault = ({ reason }: Misstep) => new EnvironmentFault({ id, step: Math.max(0, steps), reason })

  const stepper = Stepper.create(limited, state)
  if (!(stepper instanceof Stepper)) return yield* fault(stepper)

  /** The present observation with what there is to say beside it, or what is wrong with them. */
  const observed = (): ResetResult | EnvironmentFault => {
    // Numbers that the environment leaves unwritten show as NaN.
    for (let i = 0; i < flat.length; i++) flat[i] = NaN
    const misstep = stepper.observe(flat)
    if (misstep !== undefined) return fault(misstep)
    const said = stepper.info()
    if ("rule" in said) return fault(said)
    const observation: Observation = observationSpace.decode(flat)
    // What is in the space stands for an element; what is not may be out of bounds alone, and passes.
    const problem = takesAnyNumbers || observationSpace.contains(observation)
      ? undefined
      : observationSpace.decodeProblem(flat)
    if (problem !== undefined) {
      return new EnvironmentFault({ id, step: steps, reason: `the observation ${problem}` })
    }
    return { observation, info: said.info }
  }

  const reset = Effect.fnUntraced(function*(options?: ResetOptions) {
    const seed = options?.seed ?? (seeded ? undefined : yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER))
    if (seed !== undefined) {
      if (!isEntropy(seed)) return yield* new InvalidSeed({ id, seed: shown(seed) })
      random.reseed(seed)
      seeded = true
    }
    steps = 0
    const misstep = stepper.reset(random, options?.options)
    if (misstep !== undefined) return yield* fault(misstep)
    const result = observed()
    return result instanceof EnvironmentFault ? yield* result : result
  })

  // One Effect a step: this is called as often as anything.
  const step = (action: ActionOf<A>): Effect.Effect<StepResult, InvalidAction | ResetNeeded | EnvironmentFault> =>
    Effect.suspend((): Effect.Effect<StepResult, InvalidAction | ResetNeeded | EnvironmentFault> => {
      if (steps < 0) return new ResetNeeded({ id })
      if (!actionSpace.contains(action)) {
        return new InvalidAction({ id, action: shownAction(action), actionSpace: `${actionSpace}` })
      }
      steps += 1
      const misstep = stepper.step(action, random)
      if (misstep !== undefined) return fault(misstep)
      const { reward, terminated, truncated } = stepper
      const result = observed()
      if (result instanceof EnvironmentFault) return result
      return Exit.succeed({ observation: result.observation, reward, terminated, truncated, info: result.info })
    })

  const restore = Effect.fnUntraced(function*(snapshot: EnvironmentSnapshot) {
    if (snapshot.id !== made) {
      return yield* new SnapshotMismatch({ id, problem: `it was taken of "${snapshot.id}"` })
    }
    for (
      const [name, bytes, view] of [["state", snapshot.state, state], [
        "random",
        snapshot.random,
        random.state
      ]] as const
    ) {
      if (bytes.length !== view.byteLength) {
        const problem = `its ${name} has ${bytes.length} bytes where the environment has ${view.byteLength}`
        return yield* new SnapshotMismatch({ id, problem })
      }
    }
    bytesOf(state).set(snapshot.state)
    bytesOf(random.state).set(snapshot.random)
    steps = snapshot.steps
    seeded = snapshot.steps >= 0
  })

  return {
    spec: { id, maxEpisodeSteps: definition.maxEpisodeSteps, rewardThreshold: definition.rewardThreshold },
    observationSpace,
    actionSpace,
    reset,
    step,
    snapshot: () =>
      Effect.sync(() =>
        new EnvironmentSnapshot({
          id: made,
          state: bytesOf(state).slice(),
          random: bytesOf(random.state).slice(),
          steps
        })
      ),
    restore
  }
})

export const Environment = { define, configure, make }
