/**
 * A simulation as an environment: whoever takes one of its decisions sees what an agent sees there, and is told what it was
 * worth with the next. So an agent of a simulation learns like any other.
 *
 * A world is the consequence of its seed and of the actions so far, and these alone are the environment's state: where a
 * state is another than the one that the world at hand has come from, the episode is played again up to it.
 */
import { Environment } from "../../envs/Environment.ts"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import { InvalidDefinition } from "../../envs/EnvironmentDefinition.ts"
import type { Box } from "../../envs/spaces/Box.ts"
import type { Discrete } from "../../envs/spaces/Discrete.ts"
import type { MultiBinary } from "../../envs/spaces/MultiBinary.ts"
import type { MultiDiscrete } from "../../envs/spaces/MultiDiscrete.ts"
import type { ObservationSpace } from "../../envs/spaces/Space.ts"
import type { Model } from "../../simulation/Model.ts"
import type { Action } from "../../simulation/parts/Decision.ts"
import { Player } from "../../simulation/Player.ts"

/** Spaces whose elements are a number, or numbers in a row. */
export type DecidedSpace = Discrete | MultiDiscrete | MultiBinary | Box

export interface SimulationEnvironmentOptions<Config, A extends DecidedSpace> {
  /** The environment's name and version, as in `Dispatch-v0`. */
  readonly id: string
  /** `import.meta.url` of the module that exports the environment, for threads. */
  readonly module?: string
  /** The name of the decision that is taken. */
  readonly decision: string
  /** What is not as the model's defaults have it. */
  readonly config?: Partial<Config>
  /** What is seen at a decision. */
  readonly observationSpace: ObservationSpace
  readonly actionSpace: A
  /** Decisions of an episode; then it is truncated. An episode's actions are kept, so there is always such a number. */
  readonly maxEpisodeSteps: number
  /** The virtual time from which on an episode is truncated, at the decision that is next. Default: without end. */
  readonly until?: number
  readonly rewardThreshold?: number
}

/** First numbers of a state: the world's seed, and how many decisions were taken. */
const seedAt = 0
const takenAt = 1
const head = 2

/** Seeds are drawn below this. */
const seeds = Number.MAX_SAFE_INTEGER

/**
 * An episode is a world of its own, of a seed that is drawn at each reset. It terminates where nothing is left to happen.
 * Throws an `InvalidDefinition`.
 */
export const simulationEnvironment = <Config, const A extends DecidedSpace>(
  model: Model<Config>,
  options: SimulationEnvironmentOptions<Config, A>
): EnvironmentDefinition<DecidedSpace> => {
  const { actionSpace, config, decision, id, maxEpisodeSteps, module, observationSpace, until = Infinity } = options
  if (!(until > 0)) throw new InvalidDefinition({ id, problem: `until ${until}: give a time above 0` })
  const width = actionSpace._tag === "Discrete" ? 1 : actionSpace.size
  const stateSize = head + width * maxEpisodeSteps
  return Environment.define<DecidedSpace>({
    id,
    ...(module === undefined ? {} : { module }),
    observationSpace,
    actionSpace,
    maxEpisodeSteps,
    ...(options.rewardThreshold === undefined ? {} : { rewardThreshold: options.rewardThreshold }),
    stateSize,
    create: (state) => {
      /** The seed and the actions that the world at hand has come from. */
      const past = new Float64Array(stateSize)
      let world: Player | undefined
      const isOf = (state: Float64Array): boolean => {
        const end = head + width * state[takenAt]!
        for (let i = 0; i < end; i++) if (state[i] !== past[i]) return false
        return true
      }
      const actionAt = (taken: number): Action => {
        const at = head + width * taken
        return actionSpace._tag === "Discrete" ? state[at]! : Array.from(state.subarray(at, at + width))
      }
      const atState = (): Player => {
        if (world !== undefined && isOf(state)) return world
        world = new Player(model, { decision, seed: state[seedAt]!, config: { ...config } })
        for (let taken = 0; taken < state[takenAt]!; taken++) world.act(actionAt(taken))
        past.set(state)
        return world
      }
      return {
        reset: (random) => {
          state.fill(0)
          state[seedAt] = random.integers(0, seeds)
          world = undefined
          atState()
        },
        step: (action) => {
          const player = atState()
          const taken = state[takenAt]!
          if (taken >= maxEpisodeSteps) {
            throw new RangeError(
              `an episode keeps ${maxEpisodeSteps} actions: give its maxEpisodeSteps a greater number`
            )
          }
          const at = head + width * taken
          if (typeof action === "number") state[at] = action
          else state.set(action, at)
          state[takenAt] = taken + 1
          player.act(actionAt(taken))
          past.set(state.subarray(at, at + width), at)
          past[takenAt] = taken + 1
          return { reward: player.reward, terminated: player.isOver, truncated: player.now >= until }
        },
        observe: (observation) => {
          const { view } = atState()
          if (view.length !== observation.length) {
            throw new RangeError(
              `the decision "${decision}" shows ${view.length} numbers where its observation space has ${observation.length}`
            )
          }
          observation.set(view)
        }
      }
    }
  })
}
