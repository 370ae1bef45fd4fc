/**
 * How long messages between two threads lie in shared memory until they are heard, by what the hearer was doing when they
 * came: for whoever asks where the time goes. Off unless a system is given one of these; then each message costs a look at
 * the clock on either side.
 *
 * ```ts
 * const handOvers = HandOvers.make()
 * program.pipe(Effect.provide(ActorSystem.layerThread({ entry, handOvers })))
 * HandOvers.read(handOvers)
 * ```
 */

/** What a thread did until it heard a message. */
const ways = [
  /** It heard others, or worked; the message waited. */
  "busy",
  /** It spun, and saw it come. */
  "spinning",
  /** It was blocked, and rung awake. */
  "napping",
  /** It had given its event loop a turn, to come back by itself. */
  "turning",
  /** It slept, and its event loop woke it. */
  "sleeping"
] as const
export type Way = (typeof ways)[number]

export type Side = "owner" | "host"
const sides = ["owner", "host"] as const satisfies ReadonlyArray<Side>

/** A word for what lies there unheard on the way to each side, then number and nanoseconds for each side and way. */
const words = sides.length + sides.length * ways.length * 2

/** Counts of all links of a system, in memory that its threads share. */
export type HandOvers = BigInt64Array<SharedArrayBuffer>

export const make = (): HandOvers => new BigInt64Array(new SharedArrayBuffer(words * 8))

const at = (side: Side, way: Way): number => sides.length + (sides.indexOf(side) * ways.length + ways.indexOf(way)) * 2

/** `to` is sent a batch. The time of the oldest that lies there counts. */
export const sent = (counts: HandOvers, to: Side): void =>
  void Atomics.compareExchange(counts, sides.indexOf(to), 0n, process.hrtime.bigint())

/** `side` hears a batch, found in this way. */
export const heard = (counts: HandOvers, side: Side, way: Way): void => {
  const since = Atomics.exchange(counts, sides.indexOf(side), 0n)
  if (since === 0n) return
  Atomics.add(counts, at(side, way), 1n)
  Atomics.add(counts, at(side, way) + 1, process.hrtime.bigint() - since)
}

/** How many were heard by each side in each way, and how long they lay there in the mean, in microseconds. */
export const read = (
  counts: HandOvers
): ReadonlyArray<{ readonly side: Side; readonly way: Way; readonly count: number; readonly micros: number }> =>
  sides.flatMap((side) =>
    ways.map((way) => {
      const count = Number(Atomics.load(counts, at(side, way)))
      const nanos = Number(Atomics.load(counts, at(side, way) + 1))
      return { side, way, count, micros: count === 0 ? 0 : nanos / count / 1000 }
    })
  )
