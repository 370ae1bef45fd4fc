/**
 * What a model must not ask while it runs: the machine's chance and clocks, which are another in each run, and its timers,
 * which know nothing of virtual time. While handlers run, each of these is a sentence. A run's slice is synchronous, so
 * nobody else's code sees them.
 */

/** Told of a forbidden call: what was called, and what to use instead. Throws. */
export interface Report {
  readonly notReproducible: (call: string, instead: string) => never
  readonly asynchronous: (call: string) => never
}

const chance = "sim.random"
const clock = "sim.now"
const timers = ["setTimeout", "setInterval", "setImmediate", "queueMicrotask"] as const

/** Answers what runs a body with all of them replaced. */
export const sealer = (report: Report): (body: () => void) => void => {
  const refuse = (call: string, instead: string) => () => report.notReproducible(call, instead)
  const noDate = new Proxy(Date, {
    apply: refuse("Date()", clock),
    construct: (target, args) =>
      args.length === 0 ? report.notReproducible("new Date()", clock) : Reflect.construct(target, args),
    get: (target, key, receiver) => key === "now" ? noNow : Reflect.get(target, key, receiver)
  })
  const noNow = refuse("Date.now()", clock)
  const noRandom = refuse("Math.random()", chance)
  const noPerformance = refuse("performance.now()", clock)
  const noValues = refuse("crypto.getRandomValues()", chance)
  const noUuid = refuse("crypto.randomUUID()", chance)
  const noTimers = timers.map((name) => () => report.asynchronous(`called ${name}()`))
  return (body) => {
    const { Date: date, crypto, performance } = globalThis
    const { random } = Math
    const { now } = performance
    const { getRandomValues, randomUUID } = crypto
    const own = timers.map((name) => globalThis[name])
    Math.random = noRandom
    globalThis.Date = noDate
    performance.now = noPerformance
    crypto.getRandomValues = noValues
    crypto.randomUUID = noUuid
    for (const [i, name] of timers.entries()) Reflect.set(globalThis, name, noTimers[i])
    try {
      body()
    } finally {
      Math.random = random
      globalThis.Date = date
      performance.now = now
      crypto.getRandomValues = getRandomValues
      crypto.randomUUID = randomUUID
      for (const [i, name] of timers.entries()) Reflect.set(globalThis, name, own[i])
    }
  }
}
