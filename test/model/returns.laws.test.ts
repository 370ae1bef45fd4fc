/**
 * Laws of the returns, on fragments drawn at random: whatever the numbers, these hold. Each of them fails when the
 * clause of the recursion it is about is broken.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import type { FloatArray } from "../../src/model/policy/Layer.ts"
import {
  generalizedAdvantages,
  monteCarloReturns,
  normalize,
  nStepReturns,
  type ReturnSteps,
  vTrace
} from "../../src/model/returns.ts"
import { approximately } from "./approximately.ts"
import { spread } from "./spread.ts"

const Real = spread(-50, 50)
const Unit = spread(0, 1)
const Positive = spread(0.1, 3)

/** One step as it is drawn. `ending` 0 terminates, 1 truncates, 2 does both, all others go on. */
interface Step {
  readonly reward: number
  readonly value: number
  readonly finalValue: number
  readonly logRho: number
  readonly ending: number
}
const Step: Arbitrary.Arbitrary<Step> = Arbitrary.all({
  reward: Real,
  value: Real,
  finalValue: Real,
  logRho: spread(-2, 2),
  ending: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 11 })))
})

const steps = (minLength: number) => Arbitrary.array(Step, { minLength, maxLength: 20 })
const Steps = steps(1)

interface Fragment extends ReturnSteps {
  readonly logRhos: Float64Array
}

/** Lays drawn steps out as a fragment in which, within an episode, the next value is the next step's value. */
const fragmentOf = (drawn: ReadonlyArray<Step>): Fragment => ({
  rewards: Float64Array.from(drawn, (step) => step.reward),
  values: Float64Array.from(drawn, (step) => step.value),
  nextValues: Float64Array.from(
    drawn,
    (step, t) => step.ending > 2 && t + 1 < drawn.length ? drawn[t + 1]!.value : step.finalValue
  ),
  terminated: Uint8Array.from(drawn, (step) => step.ending === 0 || step.ending === 2 ? 1 : 0),
  truncated: Uint8Array.from(drawn, (step) => step.ending === 1 || step.ending === 2 ? 1 : 0),
  logRhos: Float64Array.from(drawn, (step) => step.logRho)
})

interface Settings {
  readonly gamma: number
  readonly lambda: number
  readonly rhoBar: number
  readonly cBar: number
}
const Settings: Arbitrary.Arbitrary<Settings> = Arbitrary.all({
  gamma: Unit,
  lambda: Unit,
  rhoBar: Positive,
  cBar: Positive
})

/** Everything at once, by name; results stand where they would in the whole fragment. */
const everything = (fragment: Fragment, s: Settings, offset = 0, length = fragment.rewards.length - offset) => {
  const out = () => new Float64Array(fragment.rewards.length)
  const results = {
    monteCarlo: out(),
    nStep: out(),
    gae: out(),
    gaeReturns: out(),
    vTraceTargets: out(),
    vTraceAdvantages: out()
  }
  monteCarloReturns(results.monteCarlo, fragment, s.gamma, offset, length)
  nStepReturns(results.nStep, fragment, s.gamma, offset, length)
  generalizedAdvantages(results.gae, results.gaeReturns, fragment, s.gamma, s.lambda, offset, length)
  const { vTraceAdvantages, vTraceTargets } = results
  vTrace(vTraceTargets, vTraceAdvantages, fragment, fragment.logRhos, s.gamma, s.rhoBar, s.cBar, offset, length)
  return results
}
type Results = ReturnType<typeof everything>
const names = ["monteCarlo", "nStep", "gae", "gaeReturns", "vTraceTargets", "vTraceAdvantages"] as const

const plain: Settings = { gamma: 1, lambda: 1, rhoBar: 1, cBar: 1 }

const difference = (x: Float64Array, y: FloatArray) => x.map((value, t) => value - y[t]!)

/** Drawn steps with the ending of step `t` replaced. */
const ending = (drawn: ReadonlyArray<Step>, t: number, ending: number): ReadonlyArray<Step> =>
  drawn.map((step, at) => at === t ? { ...step, ending } : step)

const sameUntil = (actual: Results, expected: Results, end: number) => {
  for (const name of names) assert.deepStrictEqual(actual[name].slice(0, end), expected[name].slice(0, end), name)
}

/** A place inside `length` things, from a number in [0, 1]. */
const place = (length: number, share: number) => Math.min(length - 1, Math.floor(share * length))

describe("laws of returns", () => {
  it.prop("with γ = 0, n-step and Monte-Carlo returns are the rewards", [Steps], ([drawn]) => {
    const fragment = fragmentOf(drawn)
    const results = everything(fragment, { ...plain, gamma: 0 })
    approximately(results.nStep, fragment.rewards, 0, "n-step")
    approximately(results.monteCarlo, fragment.rewards, 0, "Monte-Carlo")
  })

  it.prop("where the fragment terminates, Monte-Carlo is n-step", [Steps, Unit], ([drawn, gamma]) => {
    // Only termination ends an episode here: a truncated one bootstraps, which Monte-Carlo never does.
    const whole = drawn.map((step, t) => t === drawn.length - 1 || step.ending < 3 ? { ...step, ending: 0 } : step)
    const results = everything(fragmentOf(whole), { ...plain, gamma })
    approximately(results.monteCarlo, results.nStep)
  })

  it.prop("Monte-Carlo is n-step with nothing to bootstrap from", [Steps, Unit], ([drawn, gamma]) => {
    const fragment = fragmentOf(drawn)
    const results = everything({ ...fragment, nextValues: new Float64Array(drawn.length) }, { ...plain, gamma })
    approximately(results.monteCarlo, results.nStep)
  })

  it.prop("Monte-Carlo reads no value", [Steps, Settings, Real], ([drawn, settings, other]) => {
    const fragment = fragmentOf(drawn)
    const changed = {
      ...fragment,
      values: fragment.values.map(() => NaN),
      nextValues: fragment.values.map(() => other)
    }
    assert.deepStrictEqual(everything(changed, settings).monteCarlo, everything(fragment, settings).monteCarlo)
  })

  it.prop("GAE(1) + value is n-step", [Steps, Unit], ([drawn, gamma]) => {
    const fragment = fragmentOf(drawn)
    const results = everything(fragment, { ...plain, gamma })
    approximately(results.gae.map((advantage, t) => advantage + fragment.values[t]!), results.nStep, 1e-9, "sum")
    approximately(results.gaeReturns, results.nStep, 1e-9, "returns")
  })

  it.prop("GAE(0) is the one-step TD error", [Steps, Unit], ([drawn, gamma]) => {
    const fragment = fragmentOf(drawn)
    const errors = drawn.map((step, t) => {
      const terminated = step.ending === 0 || step.ending === 2
      return step.reward + (terminated ? 0 : gamma * fragment.nextValues[t]!) - step.value
    })
    approximately(everything(fragment, { ...plain, gamma, lambda: 0 }).gae, errors)
  })

  it.prop(
    "all are linear in rewards and values",
    [
      Arbitrary.array(Arbitrary.all([Step, Step]), { minLength: 1, maxLength: 20 }),
      Settings,
      Real
    ],
    ([pairs, settings, factor]) => {
      const x = pairs.map(([step]) => step)
      // The second fragment has the flags and weights of the first; all numbers may differ.
      const y = pairs.map(([step, other]) => ({ ...other, ending: step.ending, logRho: step.logRho }))
      const sum = x.map((step, t) => ({
        ...step,
        reward: step.reward + factor * y[t]!.reward,
        value: step.value + factor * y[t]!.value,
        finalValue: step.finalValue + factor * y[t]!.finalValue
      }))
      const [ofX, ofY, ofSum] = [x, y, sum].map((drawn) => everything(fragmentOf(drawn), settings))
      for (const name of names) {
        const largest = Math.max(...ofX![name].map(Math.abs), ...ofY![name].map((v) => Math.abs(factor * v)))
        const expected = ofX![name].map((value, t) => value + factor * ofY![name][t]!)
        approximately(ofSum![name], expected, 1e-9 * Math.max(1, largest), name)
      }
    }
  )

  it.prop(
    "a terminated step never sees what follows: change it all, and nothing before changes",
    [Steps, Steps, Settings, Unit, Schema.Boolean],
    ([drawn, after, settings, share, both]) => {
      const t = place(drawn.length, share)
      const before = ending(drawn, t, both ? 2 : 0)
      const fragment = fragmentOf(before)
      // Other steps and another number of them, and the value of the final observation itself.
      const changed = fragmentOf([...before.slice(0, t + 1), ...after])
      changed.nextValues[t] = NaN
      sameUntil(everything(changed, settings), everything(fragment, settings), t + 1)
    }
  )

  it.prop(
    "a truncated step cuts the trace: change all that follows, and nothing before changes",
    [Steps, Steps, Settings, Unit],
    ([drawn, after, settings, share]) => {
      const t = place(drawn.length, share)
      const before = ending(drawn, t, 1)
      const changed = fragmentOf([...before.slice(0, t + 1), ...after])
      sameUntil(everything(changed, settings), everything(fragmentOf(before), settings), t + 1)
    }
  )

  it.prop(
    "a truncated step bootstraps from the value of its final observation",
    [Steps, Settings, Unit, Real],
    ([drawn, settings, share, finalValue]) => {
      const t = place(drawn.length, share)
      const fragment = fragmentOf(ending(drawn, t, 1).map((step, at) => at === t ? { ...step, finalValue } : step))
      const results = everything(fragment, settings)
      const { reward, value, logRho } = drawn[t]!
      const target = reward + settings.gamma * finalValue
      const rho = Math.min(settings.rhoBar, Math.exp(logRho))
      const at = (name: keyof Results) => results[name].slice(t, t + 1)
      approximately(at("nStep"), [target], 1e-9, "n-step")
      approximately(at("gae"), [target - value], 1e-9, "GAE")
      approximately(at("vTraceTargets"), [value + rho * (target - value)], 1e-9, "V-trace target")
      approximately(at("vTraceAdvantages"), [rho * (target - value)], 1e-9, "V-trace advantage")
      approximately(at("monteCarlo"), [reward], 0, "Monte-Carlo")
    }
  )

  it.prop(
    "splitting a fragment anywhere, with the right bootstrap, changes nothing",
    [steps(2), Settings, Unit],
    ([drawn, drawnSettings, share]) => {
      // With one bound for both weights, V-trace's own target is the right bootstrap.
      const settings = { ...drawnSettings, cBar: drawnSettings.rhoBar }
      const fragment = fragmentOf(drawn)
      const split = 1 + place(drawn.length - 1, share)
      const whole = everything(fragment, settings)
      const second = everything(fragment, settings, split)
      const first = (bootstrap: number) => {
        const nextValues = fragment.nextValues.slice()
        if (drawn[split - 1]!.ending > 2) nextValues[split - 1] = bootstrap
        return everything({ ...fragment, nextValues }, settings, 0, split)
      }
      const joined = (name: keyof Results, bootstrap: number) =>
        Float64Array.of(...first(bootstrap)[name].slice(0, split), ...second[name].slice(split))
      const target = second.vTraceTargets[split]!
      const generalized = fragment.values[split]! + settings.lambda * second.gae[split]!
      approximately(joined("nStep", second.nStep[split]!), whole.nStep, 1e-9, "n-step")
      approximately(joined("gae", generalized), whole.gae, 1e-9, "GAE")
      approximately(joined("vTraceTargets", target), whole.vTraceTargets, 1e-9, "V-trace targets")
      approximately(joined("vTraceAdvantages", target), whole.vTraceAdvantages, 1e-9, "V-trace advantages")
    }
  )

  it.prop(
    "V-trace with equal policies is n-step",
    [Steps, Unit, spread(1, 3), spread(1, 3)],
    ([drawn, gamma, rhoBar, cBar]) => {
      const fragment = { ...fragmentOf(drawn), logRhos: new Float64Array(drawn.length) }
      const results = everything(fragment, { gamma, lambda: 1, rhoBar, cBar })
      approximately(results.vTraceTargets, results.nStep, 1e-9, "targets")
      approximately(results.vTraceAdvantages, difference(results.nStep, fragment.values), 1e-9, "advantages")
    }
  )

  it.prop("V-trace counts a weight above its bound as the bound", [Steps, Settings], ([drawn, settings]) => {
    const fragment = fragmentOf(drawn)
    const bound = Math.log(Math.max(settings.rhoBar, settings.cBar))
    // Any weight above both bounds gives what the larger bound gives.
    const cut = { ...fragment, logRhos: fragment.logRhos.map((logRho) => Math.min(logRho, bound)) }
    const [actual, expected] = [everything(fragment, settings), everything(cut, settings)]
    approximately(actual.vTraceTargets, expected.vTraceTargets, 1e-9, "targets")
    approximately(actual.vTraceAdvantages, expected.vTraceAdvantages, 1e-9, "advantages")
    // And with every weight above them only the bounds are left.
    const high = (logRho: number) =>
      everything({ ...fragment, logRhos: new Float64Array(drawn.length).fill(logRho) }, settings)
    approximately(high(5).vTraceTargets, high(9).vTraceTargets, 0, "bounds alone")
  })

  it.prop(
    "normalized numbers have mean 0 and deviation 1, and no shift or scale matters",
    [Arbitrary.array(Real, { minLength: 2, maxLength: 30 }), Real, Positive],
    ([drawn, shift, scale]) => {
      // Two numbers that differ, so that the deviation is far above 1e-8.
      const x = Float64Array.of(...drawn, 60, -60)
      const out = new Float64Array(x.length)
      normalize(out, x)
      const mean = out.reduce((sum, value) => sum + value, 0) / out.length
      const deviation = Math.sqrt(out.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / out.length)
      approximately([mean, deviation], [0, 1], 1e-8, "mean, deviation")
      const moved = x.map((value) => shift + scale * value)
      normalize(moved, moved)
      approximately(moved, out, 1e-7, "shifted and scaled, in place")
    }
  )

  it.prop(
    "permuting the environments of a batch permutes the results",
    [Arbitrary.array(Steps, { minLength: 2, maxLength: 5 }), Settings, Unit],
    ([environments, settings, share]) => {
      const compute = (batch: ReadonlyArray<ReadonlyArray<Step>>) => {
        // A batch has one array for all environments, each a segment of it.
        const fragments = batch.map(fragmentOf)
        const join = (key: "rewards" | "values" | "nextValues" | "logRhos") =>
          Float64Array.from(fragments.flatMap((fragment) => [...fragment[key]]))
        const flags = (key: "terminated" | "truncated") =>
          Uint8Array.from(fragments.flatMap((fragment) => [...fragment[key]]))
        const whole = {
          rewards: join("rewards"),
          values: join("values"),
          nextValues: join("nextValues"),
          logRhos: join("logRhos"),
          terminated: flags("terminated"),
          truncated: flags("truncated")
        }
        let offset = 0
        return batch.map((steps) => {
          const results = everything(whole, settings, offset, steps.length)
          offset += steps.length
          return names.map((name) => results[name].slice(offset - steps.length, offset))
        })
      }
      const by = 1 + place(environments.length - 1, share)
      const rotate = <A>(list: ReadonlyArray<A>) => [...list.slice(by), ...list.slice(0, by)]
      assert.deepStrictEqual(compute(rotate(environments)), rotate(compute(environments)))
    }
  )

  it.prop("a range is written and nothing else", [Steps, Settings, Unit, Unit], ([drawn, settings, from, share]) => {
    const fragment = fragmentOf(drawn)
    const offset = place(drawn.length, from)
    const length = 1 + place(drawn.length - offset, share)
    const inside = everything(fragment, settings, offset, length)
    const alone = everything(cut(fragment, offset, length), settings)
    for (const name of names) {
      const expected = new Float64Array(drawn.length)
      expected.set(alone[name], offset)
      assert.deepStrictEqual(inside[name], expected, name)
    }
    const kept = new Float64Array(drawn.length).fill(7)
    normalize(kept, fragment.rewards, offset, length)
    kept.fill(7, offset, offset + length)
    assert.isTrue(kept.every((value) => value === 7))
  })
})

/** The part of a fragment as arrays of its own. */
const cut = (fragment: Fragment, offset: number, length: number): Fragment => ({
  rewards: fragment.rewards.slice(offset, offset + length),
  values: fragment.values.slice(offset, offset + length),
  nextValues: fragment.nextValues.slice(offset, offset + length),
  terminated: fragment.terminated.slice(offset, offset + length),
  truncated: fragment.truncated.slice(offset, offset + length),
  logRhos: fragment.logRhos.slice(offset, offset + length)
})
