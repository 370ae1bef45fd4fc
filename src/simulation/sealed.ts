/**
 * What a model must not ask while it runs: the machine's chance and clocks, which are another in each run, and its timers,
 * which know nothing of virtual time. While handlers run, each of these is a sentence. A run's slice is synchronous, so
 * nobody else's code sees them.
 */

/** Told of a forbidden call: what was called, and what to use instead. Throws. */
export type Report = {
  readonly notReproducible: (call: string, instead: string) => never
  readonly asynchronous: (call: string) => never
}

const chance = "sim.random"
const clock = "sim.now"
const timer = "setTimeout, setInterval, setImmediate, queueMicrotask".split(", ") as ReadonlyArray<
  "setTimeout" | "setInterval" | "setImmediate" | "queueMicrotask"
>

/** Runs the body with all of them replaced. */
export const sealed = <A>(report: Report, body: () => A): A => {
  const { Date: date, crypto, performance } = globalThis
  const { random } = Math
  const { now } = performance
  const { getRandomValues, randomUUID } = crypto
  const timers = timer.map((name) => [name, globalThis[name]] as const)
  Math.random = () => report.notReproducible("Math.random()", chance)
  globalThis.Date = new Proxy(date, {
    apply: () => report.notReproducible("Date()", clock),
    construct: (target, args) =>
      args.length === 0 ? report.notReproducible("new Date()", clock) : Reflect.construct(target, args),
    get: (target, key, receiver) =>
      key === "now" ? () => report.notReproducible("Date.now()", clock) : Reflect.get(target, key, receiver)
  })
  performance.now = () => report.notReproducible("performance.now()", clock)
  crypto.getRandomValues = () => report.notReproducible("crypto.getRandomValues()", chance)
  crypto.randomUUID = () => report.notReproducible("crypto.randomUUID()", chance)
  for (const [name] of timers) Reflect.set(globalThis, name, () => report.asynchronous(`called ${name}()`))
  try {
    return body()
  } finally {
    Math.random = random
    globalThis.Date = date
    performance.now = now
    crypto.getRandomValues = getRandomValues
    crypto.randomUUID = randomUUID
    for (const [name, own] of timers) Reflect.set(globalThis, name, own)
  }
}
