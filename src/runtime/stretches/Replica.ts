/**
 * A worker's part in a stretch: the loop of `algorithms/inStep.ts` once more, in which its own environments are the worker's
 * work and those of the others appear in shared memory. It counts, learns and judges as the trainer does, of the same
 * numbers; so all workers come to the same weights, and end with the same iteration.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { CpuDevice } from "../../model/CpuDevice.ts"
import { Arena } from "../../model/kernels/Arena.ts"
import { ParameterLayout } from "../../model/policy/ParameterLayout.ts"
import { handedLearner, headOf } from "../learning/handedLearner.ts"
import * as Learning from "../learning/Learning.ts"
import { optimizerSpecOf } from "../plan/optimizerSpecOf.ts"
import type { PassOrder } from "../plan/UpdatePlan.ts"
import { Progress } from "../stopping/Progress.ts"
import { isOver, stoppingRule } from "../stopping/stoppingRules.ts"
import {
  bankOf,
  envSlot,
  type Fragment,
  fragmentIn,
  meetingWords,
  unitCount,
  unitSlot,
  workerAddresses
} from "../workers/dataPlaneLayout.ts"
import { weightsLength } from "../workers/DataPlaneSpec.ts"
import { Meeting } from "../workers/Meeting.ts"
import { type Replica, type ReplicaPlace, Replicas, type StretchOrder, type StretchReport } from "../workers/Stretch.ts"
import { note } from "../workers/StretchNotes.ts"

const make = Effect.fnUntraced(
  function*(place: ReplicaPlace) {
    const { definition, kernels, layout, own, policy, seed, settings: { config, plan }, worker } = place
    const { spec } = layout
    // Workers of one number, in layouts that are tried by turns, share it: all but what never changes is written anew by `adopt`.
    const arena = Arena.part(kernels.memory, kernels.buffer, workerAddresses(layout, worker).replica, spec.replicaBytes)
    const parameters = new ParameterLayout(policy)
    const banks = [
      yield* arena.allocate(weightsLength(spec) * 4),
      yield* arena.allocate(weightsLength(spec) * 4)
    ] as const
    const weights = [arena.float32(banks[0], parameters.size), arena.float32(banks[1], parameters.size)] as const
    const slots = Array.from({ length: spec.slots }, (_, e) => envSlot(kernels.buffer, layout, e))
    const units = Array.from({ length: unitCount(spec) }, (_, u) => unitSlot(kernels.buffer, layout, u))
    const optimizer = optimizerSpecOf(config)
    const model = yield* CpuDevice.make(arena, kernels)
      // It makes no gradients itself.
      .model({ policy, optimizer, maxRows: 1, unit: spec.unit }, new Float32Array(parameters.size))
    const { adopt, learner, save } = yield* Learning.make({
      config,
      plan: { ...plan, loss: () => plan.loss, scheduled: false },
      plane: { definition, layout, parameters, policy, units, weightsOf: (version) => weights[bankOf(version)] },
      saved: undefined,
      seed
    }, model)
    const handed = handedLearner(kernels.buffer, layout, optimizer)
    const rule = stoppingRule(config, definition.rewardThreshold)
    const meeting = new Meeting(meetingWords(kernels.buffer, layout))

    const fragmentsOf = (version: number): ReadonlyArray<Fragment> =>
      slots.map((slot, environment) => fragmentIn(slot, environment, config.nSteps, version))

    /** Nobody reads what the last pass left any more; then all write; then all have written. */
    const together = (write: () => boolean): boolean => meeting.all() && write() && meeting.all()

    const gradients = (version: number, pass: PassOrder) =>
      Effect.suspend(() => {
        const there = together(() => {
          own.gradients(banks[bankOf(version)], pass)
          return true
        })
        return there ? Effect.void : Effect.fail("parted" as const)
      })

    const iterations = (order: StretchOrder): StretchReport | undefined => {
      const progress = new Progress(order.standing)
      if (Exit.isFailure(Effect.runSyncExit(adopt(handed.at(order.learner))))) return undefined
      let { version } = order.learner
      const reports: Array<StretchReport["reports"][number]> = []
      for (let iteration = 0;; iteration++) {
        if (!together(() => own.collect(banks[bankOf(version)]))) return undefined
        const fragments = fragmentsOf(version)
        const learned = Effect.runSyncExit(learner.update(fragments, gradients))
        if (Exit.isFailure(learned)) return undefined
        const { explainedVariance, gradNorm, learningRate, loss } = learned.value
        version = learned.value.version
        for (let e = order.first; e < order.first + order.count; e++) note(slots[e]!, iteration, spec.steps)
        progress.add(fragments)
        progress.updates++
        if (order.member === 0 && progress.updates % config.logInterval === 0) {
          reports.push({ iteration, loss, gradNorm, learningRate, explainedVariance: explainedVariance(), version })
        }
        const last = iteration + 1 === order.iterations || isOver(config, progress, order.stopping) ||
          rule.due(progress, order.stopping) !== undefined
        if (!last) continue
        const state = Effect.runSync(save)
        // Nobody reads what was handed over for the beginning any more.
        if (!meeting.all()) return undefined
        if (order.member === 0) handed.put(state)
        own.save(order.round)
        return { iterations: iteration + 1, learner: headOf(state), reports }
      }
    }

    const replica: Replica = {
      take: (order, live) => {
        if (!meeting.begin(order.member, order.members)) return undefined
        if (!live) own.restore(order.round - 1)
        const done = iterations(order)
        if (done === undefined) meeting.part()
        return done
      },
      part: (member) => meeting.part(member)
    }
    return replica
    // There is room for it, and what it allocates ends with the memory.
  },
  Effect.orDie,
  Effect.scoped
)

/** Has workers take part in stretches. */
export const layer: Layer.Layer<never> = Layer.succeed(Replicas, make)
