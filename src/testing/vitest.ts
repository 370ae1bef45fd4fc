/**
 * `it.simulate` for vitest: a test that runs a program under many seeds.
 *
 * ```ts
 * import { it } from "troupe/testing/vitest"
 *
 * it.simulate("no money is lost", program, { seeds: 1000, faults: ["kill", "delay"] })
 * ```
 *
 * Where it fails, the test's error is the whole story: seed, decisions, log. The same seed runs again, alone and under a
 * debugger, with `{ seed: 17, seeds: 1 }`.
 */
import { it as plain, type TestAPI } from "vitest"
import { simulate, type SimulatedProgram, type SimulateOptions } from "./simulate.ts"

export interface SimulateTestOptions extends SimulateOptions {
  /** How long the test may take, in real milliseconds. Default: two minutes. */
  readonly timeout?: number
}

/** A program that failed under some seed: the message tells all of it. */
export class SimulationFailed extends Error {
  override readonly name = "SimulationFailed"
}

/** Vitest's `it`, and `it.simulate`. */
export const it: TestAPI & {
  /** Runs the program for every seed; fails at the first that fails. */
  readonly simulate: (name: string, program: SimulatedProgram, options?: SimulateTestOptions) => void
} = Object.assign(plain.extend({}), {
  simulate: (name: string, program: SimulatedProgram, options: SimulateTestOptions = {}): void =>
    plain(name, () => {
      const { failure } = simulate(program, options)
      if (failure === undefined) return
      const error = new SimulationFailed(failure.text)
      // Where it was thrown says nothing: what happened, the log says.
      error.stack = `${error.name}: ${error.message}`
      throw error
    }, options.timeout ?? 120_000)
})
