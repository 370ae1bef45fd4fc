/** Puts what the trainer does on the timeline, as Layers around the services of a run; where none is kept, nothing is around. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { runningTime } from "../../time/runningTime.ts"
import { Evaluator } from "../evaluation/Evaluator.ts"
import { Learner } from "../learning/Learner.ts"
import { type Timeline, Traced } from "./Timeline.ts"

/** An effect whose time is put on the timeline, however it ends. */
const timed = <A, E, R>(timeline: Timeline, name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const began = runningTime.now()
    return Effect.ensuring(effect, Effect.sync(() => timeline.did(name, began)))
  })

/** A service that is wrapped where a timeline is kept. */
const around = <I, S, E, R>(
  service: Context.Key<I, S>,
  layer: Layer.Layer<I, E, R>,
  wrap: (service: S, timeline: Timeline) => S
): Layer.Layer<I, E, R> =>
  Layer.unwrap(Effect.map(Traced, (timeline) =>
    timeline === undefined
      ? layer
      : Layer.effect(service, Effect.map(service, (own) => wrap(own, timeline))).pipe(Layer.provide(layer))))

export const learner = <E, R>(layer: Layer.Layer<Learner, E, R>): Layer.Layer<Learner, E, R> =>
  around(Learner, layer, (own, timeline) => ({
    ...own,
    update: (fragments, gradients) => timed(timeline, "update", own.update(fragments, gradients))
  }))

export const evaluator = <E, R>(layer: Layer.Layer<Evaluator, E, R>): Layer.Layer<Evaluator, E, R> =>
  around(Evaluator, layer, (own, timeline) => ({
    ...own,
    evaluate: (request) => timed(timeline, "evaluation", own.evaluate(request))
  }))
