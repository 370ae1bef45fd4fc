/** What holds for every registered environment, whatever it is. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import {
  type AnySpace,
  check,
  Environment,
  type EnvironmentDefinition,
  EnvironmentSnapshot,
  Registry,
  TimeLimit,
  VectorEnvironment
} from "../../src/envs/index.ts"
import { Pcg64 } from "../../src/random/index.ts"

const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e9 }))
const Steps = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 }))

const definitions = await Effect.runPromise(
  Effect.flatMap(Registry.ids, (ids) => Effect.forEach(ids, (id) => Registry.lookup(id)))
)

/** Plays random actions, resetting where an episode ends; everything that came, in order. */
const play = Effect.fnUntraced(function*(
  environment: Effect.Success<ReturnType<typeof Environment.make>>,
  seed: number,
  steps: number
) {
  const actions = environment.actionSpace.sampler(seed)
  const came: Array<unknown> = []
  for (let i = 0; i < steps; i++) {
    const result = yield* environment.step(actions.sample())
    came.push(result)
    if (result.terminated || result.truncated) came.push(yield* environment.reset())
  }
  return came
})

/** Every number of an episode without a limit, or with one. */
const episode = (definition: EnvironmentDefinition, seed: number, steps: number) => {
  const state = new Float64Array(definition.stateSize)
  const dynamics = definition.create(state)
  const random = Pcg64.fromSeed(seed)
  const actions = definition.actionSpace.sampler(seed)
  const observation = new Float32Array(definition.observationSpace.size)
  dynamics.reset(random)
  return Array.from({ length: steps }, () => {
    const { reward, terminated, truncated } = dynamics.step(actions.sample(), random)
    dynamics.observe(observation)
    return { reward, terminated, truncated: truncated === true, observation: [...observation] }
  })
}

for (const definition of definitions) {
  describe(definition.id, () => {
    it.effect("passes the checker", () =>
      Effect.gen(function*() {
        const findings = yield* check(definition)
        // A fixed start, and an end that random actions seldom find, are theirs.
        const meant = /Every reset gives the same start|No episode ended/
        assert.deepStrictEqual(findings.filter(({ message }) => !meant.test(message)), [])
      }))

    it.effect.prop("the same seed gives the same episodes", [Seed, Steps], ([seed, steps]) =>
      Effect.gen(function*() {
        const [a, b] = [yield* Environment.make(definition), yield* Environment.make(definition)]
        assert.deepStrictEqual(yield* a.reset({ seed }), yield* b.reset({ seed }))
        assert.deepStrictEqual(yield* play(a, seed, steps), yield* play(b, seed, steps))
      }), { arbitrary: { runs: 15 } })

    it.effect.prop(
      "a restored snapshot goes on as the original",
      [Seed, Steps, Steps],
      ([seed, before, after]) =>
        Effect.gen(function*() {
          const codec = Schema.toCodecJson(EnvironmentSnapshot)
          const original = yield* Environment.make(definition)
          yield* original.reset({ seed })
          yield* play(original, seed, before)
          const json = JSON.stringify(yield* Schema.encodeEffect(codec)(yield* original.snapshot()))
          const expected = yield* play(original, seed + 1, after)
          const other = yield* Environment.make(definition)
          yield* other.restore(yield* Schema.decodeUnknownEffect(codec)(JSON.parse(json)))
          assert.deepStrictEqual(yield* play(other, seed + 1, after), expected)
        }),
      { arbitrary: { runs: 15 } }
    )

    it.effect.prop("every observation is in its space", [Seed], ([seed]) =>
      Effect.gen(function*() {
        const space: AnySpace = definition.observationSpace
        const environment = yield* Environment.make(definition)
        const { observation } = yield* environment.reset({ seed })
        assert.isTrue(space.contains(observation))
        const actions = environment.actionSpace.sampler(seed)
        for (let i = 0; i < 200; i++) {
          const { observation, terminated, truncated } = yield* environment.step(actions.sample())
          assert.isTrue(space.contains(observation), `${space} contains ${String(observation)}`)
          if (terminated || truncated) yield* environment.reset()
        }
      }), { arbitrary: { runs: 10 } })

    it.prop("a limit truncates at its step and changes nothing else", [Seed, Steps], ([seed, limit]) => {
      const unlimited = { ...definition }
      Reflect.deleteProperty(unlimited, "maxEpisodeSteps")
      const free = episode(TimeLimit.wrap(unlimited), seed, limit + 3)
      const end = free.findIndex(({ terminated }) => terminated)
      const steps = end < 0 ? free.length : end + 1
      const cut = episode(TimeLimit.wrap({ ...definition, maxEpisodeSteps: limit + 1 }), seed, steps)
      assert.deepStrictEqual(
        cut,
        free.slice(0, steps).map((step, i) => ({ ...step, truncated: i >= limit }))
      )
    }, { arbitrary: { runs: 15 } })

    it.effect.prop(
      "a vector of them is as many alone, each reset where its episode ends",
      [Seed, Steps],
      ([seed, steps]) =>
        Effect.gen(function*() {
          const count = 3
          const space: AnySpace = definition.observationSpace
          // By its own create alone, as a user's, and by flat dynamics where it has them.
          const plain: EnvironmentDefinition = { ...definition, create: (state) => definition.create(state) }
          for (const form of [definition, plain]) {
            const vector = yield* VectorEnvironment.make(form, count)
            const alone = yield* Effect.forEach(Array.from({ length: count }), () => Environment.make(definition))
            const samplers = alone.map((_, i) => definition.actionSpace.sampler(seed + i))
            const observed = (from: Float32Array, i: number) =>
              space.decode(from.subarray(i * space.size, (i + 1) * space.size))
            yield* vector.reset(seed)
            for (const [i, environment] of alone.entries()) {
              const { observation } = yield* environment.reset({ seed: seed + i })
              assert.deepStrictEqual(observed(vector.observations, i), observation)
            }
            for (let t = 0; t < steps; t++) {
              const actions = samplers.map((sampler) => sampler.sample())
              assert.isUndefined(vector.step(actions))
              for (const [i, environment] of alone.entries()) {
                const result = yield* environment.step(actions[i]!)
                assert.deepStrictEqual(
                  [vector.rewards[i], vector.terminated[i], vector.truncated[i]],
                  [result.reward, Number(result.terminated), Number(result.truncated)]
                )
                if (!result.terminated && !result.truncated) {
                  assert.deepStrictEqual(observed(vector.observations, i), result.observation)
                  continue
                }
                assert.deepStrictEqual(observed(vector.finalObservations, i), result.observation)
                const { observation } = yield* environment.reset()
                assert.deepStrictEqual(observed(vector.observations, i), observation)
              }
            }
          }
        }),
      { arbitrary: { runs: 8 } }
    )

    it("can be drawn: a state as text, an episode as SVG", () => {
      const { rendering } = definition
      const random = Pcg64.fromSeed(4)
      const actions = definition.actionSpace.sampler(4)
      const state = new Float64Array(definition.stateSize)
      const dynamics = definition.create(state)
      dynamics.reset(random)
      const states = [state.slice()]
      for (let i = 0; i < 20; i++) {
        if (dynamics.step(actions.sample(), random).terminated) dynamics.reset(random)
        states.push(state.slice())
      }
      for (const state of states) {
        const text = rendering?.ansi?.(state) ?? ""
        assert.match(text, /\S/)
        assert.notMatch(text, /undefined|NaN/)
      }
      for (const drawn of [states.slice(0, 1), states]) {
        const svg = rendering?.svg?.(drawn) ?? ""
        assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+"[\s\S]*<\/svg>$/)
        assert.notMatch(svg, /undefined|NaN/)
        // Every element that is opened is closed.
        const opened = svg.match(/<[a-z]+(?:\s[^<>]*[^/])?>/gi)?.length
        assert.strictEqual(opened, svg.match(/<\/[a-z]+>/gi)?.length)
        assert.strictEqual(/repeatCount/.test(svg), drawn.length > 1)
      }
    })
  })
}
