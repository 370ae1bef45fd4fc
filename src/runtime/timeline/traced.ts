/**
 * What the trainer does, put on the timeline and told to a tracer, as Layers around the services of a run; where there is neither,
 * nothing is around.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import { runningTime } from "../../time/runningTime.ts"
import { Evaluator } from "../evaluation/Evaluator.ts"
import { Learner } from "../learning/Learner.ts"
import { EnvWorkerGroup } from "../workers/EnvWorkerGroup.ts"
import { type Timeline, Traced } from "./Timeline.ts"

/** Somebody who notes when an effect ran, however it ended. */
type Note = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

const onTimeline = (timeline: Timeline): Note => (name, effect) =>
  Effect.suspend(() => {
    const began = runningTime.now()
    return Effect.ensuring(effect, Effect.sync(() => timeline.did(name, began)))
  })

const asSpan: Note = (name, effect) => Effect.withSpan(effect, `run.${name}`)

/** A service that is wrapped where somebody notes. */
const around = <I, S, E, R>(
  service: Context.Key<I, S>,
  layer: Layer.Layer<I, E, R>,
  wrap: (service: S, note: Note) => S,
  { timelined = true } = {}
): Layer.Layer<I, E, R> =>
  Layer.unwrap(Effect.gen(function*() {
    const timeline = yield* Traced
    const notes = [
      ...(timeline === undefined || !timelined ? [] : [onTimeline(timeline)]),
      ...((yield* Effect.tracer) === Tracer.nativeTracer ? [] : [asSpan])
    ]
    if (notes.length === 0) return layer
    const note: Note = (name, effect) => notes.reduce((noted, note) => note(name, noted), effect)
    return Layer.effect(service, Effect.map(service, (own) => wrap(own, note))).pipe(Layer.provide(layer))
  }))

export const learner = <E, R>(layer: Layer.Layer<Learner, E, R>): Layer.Layer<Learner, E, R> =>
  around(Learner, layer, (own, note) => ({
    ...own,
    update: (fragments, gradients) => note("update", own.update(fragments, gradients))
  }))

export const evaluator = <E, R>(layer: Layer.Layer<Evaluator, E, R>): Layer.Layer<Evaluator, E, R> =>
  around(Evaluator, layer, (own, note) => ({
    ...own,
    evaluate: (request) => note("evaluation", own.evaluate(request))
  }))

/** The timeline has their actors already, each by itself. */
export const workers = <E, R>(layer: Layer.Layer<EnvWorkerGroup, E, R>): Layer.Layer<EnvWorkerGroup, E, R> =>
  around(EnvWorkerGroup, layer, (own, note) => ({
    ...own,
    collect: (version) => note("collect", own.collect(version)),
    explore: (environment, version) => note("collect", own.explore(environment, version))
  }), { timelined: false })
