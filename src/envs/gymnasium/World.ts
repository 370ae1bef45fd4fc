/**
 * Worlds of a Gymnasium environment as this system steps worlds: with all that they are in memory that is given. What Python
 * holds cannot lie there, so the memory holds how to come back to it: the start of the episode (its random stream, or its
 * seed), every action since, and the observation that they led to. A world that Python does not have, or has elsewhere, is
 * played again from its start, and must arrive at the same observation.
 *
 * Worlds that are about to be stepped together say so first (`ahead`), and go to Python in one message.
 */
import { Pcg64 } from "../../random/index.ts"
import type { Dynamics, JsonRecord, Transition } from "../EnvironmentDefinition.ts"
import { isList } from "../spaces/shapes.ts"
import type { ActionOf, ActionSpace } from "../spaces/Space.ts"
import { EnvironmentMistake } from "../thrown.ts"
import { asked, type Bridge, fromPython, Gone, NoBridge, WorldFault } from "./Bridge.ts"

/** What worlds of one bridge have in common. */
export interface Kind {
  readonly bridge: Bridge
  /** Numbers of an observation, flattened, and of an action. */
  readonly size: number
  readonly width: number
  /** Actions of an episode that are kept: a longer one cannot be played again. */
  readonly capacity: number
  /** Whether it draws from our stream; else an episode has a seed of its own. */
  readonly sharesStream: boolean
}

/** Where in a state is what: the steps of the episode, a digest of how it came here, its start, its observation, its actions. */
const stepsAt = 0
const digestAt = 1
const startAt = 3
const observationAt = startAt + Pcg64.words

/** How many numbers a state takes. */
export const stateSizeOf = ({ capacity, size, width }: Pick<Kind, "capacity" | "size" | "width">): number =>
  observationAt + size + capacity * width

/** Processes that end in a row without a step between them before it is given up. */
const mostDeaths = 10
/** Processes that give no answer to the same request before it is given up. */
const mostSilences = 2

/** Mixes a number into a digest of two 32-bit words. */
const mix = (digest: Uint32Array, value: number, scratch: { f64: Float64Array; u32: Uint32Array }): void => {
  scratch.f64[0] = value
  for (let k = 0; k < 2; k++) {
    const word = scratch.u32[k]!
    digest[0] = Math.imul(digest[0]! ^ word, 0x9e3779b1) + digest[1]!
    digest[1] = Math.imul((digest[1]! ^ (digest[0]! >>> 15)) + word, 0x85ebca77)
  }
}

/** What a step or a reset has left in Python. */
interface Arrival {
  readonly reward: number
  readonly terminated: boolean
  readonly truncated: boolean
  readonly words: Uint32Array
  readonly observation: Float32Array
}

class World implements Dynamics {
  private readonly kind: Kind
  private readonly crowd: Crowd
  readonly number: number
  private readonly state: Float64Array
  /** In which process it is, and where there: the steps and the digest. */
  private generation = -1
  private readonly at = new Float64Array(3)
  /** The stream as Python has it. */
  private readonly words = new Uint32Array(Pcg64.words)
  /** The step that Python has taken ahead of us, from which place and with which action. */
  arrival: Arrival | undefined
  private readonly from = new Float64Array(3)
  readonly action: Float64Array
  /** The stream of the step that is to be taken. */
  random: Pcg64 | undefined
  private readonly digest = new Uint32Array(2)
  private readonly scratch: { readonly f64: Float64Array; readonly u32: Uint32Array }
  private readonly transition = { reward: 0, terminated: false, truncated: false }

  constructor(kind: Kind, crowd: Crowd, number: number, state: Float64Array) {
    this.kind = kind
    this.crowd = crowd
    this.number = number
    this.state = state
    this.action = new Float64Array(kind.width)
    const f64 = new Float64Array(1)
    this.scratch = { f64, u32: new Uint32Array(f64.buffer) }
  }

  reset(random: Pcg64, options?: JsonRecord): void {
    const { kind, state } = this
    this.forget()
    if (kind.sharesStream) state.set(random.state, startAt)
    else state.fill(0, startAt, observationAt)[startAt] = random.integers(0, 2147483647)
    state[stepsAt] = 0
    this.digest.fill(0x2545f491)
    for (let i = startAt; i < observationAt; i++) mix(this.digest, state[i]!, this.scratch)
    state.set(this.digest, digestAt)
    const payload = this.crowd.begin(this, state.subarray(startAt, observationAt), 0, options)
    try {
      this.arrived(this.crowd.ask(asked.reset, () => payload))
    } catch (cause) {
      throw told(cause)
    }
    this.keep(random)
  }

  ahead(action: ActionOf<ActionSpace>, random: Pcg64): void {
    this.read(action)
    this.random = random
    this.crowd.announce(this)
  }

  step(action: ActionOf<ActionSpace>, random: Pcg64): Transition {
    const { arrival, state, transition } = this
    const stepped = arrival !== undefined && this.isAt(this.from) && this.isAction(action) ? arrival : undefined
    if (stepped === undefined) {
      // A step that was taken ahead, and is not ours: the world is not where it was.
      if (arrival !== undefined) this.forget()
      this.read(action)
      this.random = random
      this.crowd.announce(this)
      this.crowd.flush(this)
    }
    const came = stepped ?? this.arrival
    if (came === undefined) throw new EnvironmentMistake("its Python process did not answer for it")
    this.arrival = undefined
    this.random = undefined
    this.advance(state)
    this.words.set(came.words)
    this.put(came.observation)
    this.keep(random)
    transition.reward = came.reward
    transition.terminated = came.terminated
    transition.truncated = came.truncated
    return transition
  }

  observe(observation: Float32Array): void {
    for (let i = 0; i < observation.length; i++) observation[i] = this.state[observationAt + i]!
  }

  info(): JsonRecord {
    if (!this.isLive()) return {}
    const number = new Uint8Array(Uint32Array.of(this.number).buffer)
    const said: unknown = fromPython(this.crowd.ask(asked.info, () => number))
    return typeof said === "object" && said !== null ? { ...said } : {}
  }

  /** Whether Python has this world where the state says it is. */
  isLive(): boolean {
    return this.generation === this.kind.bridge.generation && this.isAt(this.at)
  }

  /** Brings Python to where the state is: by playing the episode again from its start. */
  bring(): void {
    const { kind: { capacity, size, width }, state } = this
    const steps = state[stepsAt]!
    if (steps > capacity) {
      throw new EnvironmentMistake(
        `its Python process was lost, and an episode of ${steps} steps is longer than the ${capacity} that can be played ` +
          "again: give it an --episode-limit"
      )
    }
    const actions = state.subarray(observationAt + size, observationAt + size + steps * width)
    const payload = this.crowd.begin(this, state.subarray(startAt, observationAt), steps, undefined, actions)
    const answer = this.kind.bridge.ask(asked.replay, payload)
    const { observation, words } = this.split(answer)
    for (let i = 0; i < size; i++) {
      // NaN is what it was too.
      if (Object.is(observation[i], Math.fround(state[observationAt + i]!))) continue
      throw new EnvironmentMistake(
        `its Python process was lost, and its episode, played again from its seed, came to observation[${i}] = ` +
          `${observation[i]} at step ${steps}, where it was ${
            state[observationAt + i]
          }: it does not depend on its seed and its ` +
          "actions alone, so it cannot be recovered"
      )
    }
    this.words.set(words)
    this.settle()
  }

  /** Says that Python has the world where the state is. */
  private settle(): void {
    this.generation = this.kind.bridge.generation
    this.at.set(this.state.subarray(stepsAt, startAt))
  }

  /** Takes what Python has left after a step from where the state is; that is not yet the state's. */
  stepped(came: Arrival): void {
    this.arrival = came
    this.from.set(this.state.subarray(stepsAt, startAt))
    // Whoever does not take it finds the world elsewhere.
    this.generation = -1
  }

  /** Knows nothing any more of where Python has the world. */
  forget(): void {
    this.arrival = undefined
    this.generation = -1
  }

  /** The words of the stream where Python has others; they go with the next step. */
  changedWords(): Uint32Array | undefined {
    const { kind, random, words } = this
    if (!kind.sharesStream || random === undefined) return undefined
    const { state } = random
    for (let i = 0; i < words.length; i++) if (words[i] !== state[i]) return state
    return undefined
  }

  /** Moves the state's steps, digest and actions by the step that was taken. */
  private advance(state: Float64Array): void {
    const { action, digest, kind: { capacity, size, width }, scratch } = this
    const steps = state[stepsAt]!
    digest[0] = state[digestAt]!
    digest[1] = state[digestAt + 1]!
    for (let k = 0; k < width; k++) {
      mix(digest, action[k]!, scratch)
      if (steps < capacity) state[observationAt + size + steps * width + k] = action[k]!
    }
    state[stepsAt] = steps + 1
    state.set(digest, digestAt)
    this.settle()
  }

  /** Takes the answer to a reset. */
  private arrived(answer: Uint8Array): void {
    const { observation, words } = this.split(answer)
    this.words.set(words)
    this.put(observation)
    this.settle()
  }

  private put(observation: Float32Array): void {
    this.state.set(observation, observationAt)
  }

  /** Leaves our stream as Python's is. */
  private keep(random: Pcg64): void {
    if (this.kind.sharesStream) random.state.set(this.words)
  }

  private split(answer: Uint8Array): Pick<Arrival, "observation" | "words"> {
    const { buffer, byteOffset } = answer
    return {
      words: new Uint32Array(buffer, byteOffset, Pcg64.words),
      observation: new Float32Array(buffer, byteOffset + Pcg64.words * 4, this.kind.size)
    }
  }

  private isAt(place: Float64Array): boolean {
    const { state } = this
    return place[0] === state[stepsAt] && place[1] === state[digestAt] && place[2] === state[digestAt + 1]
  }

  private isAction(action: ActionOf<ActionSpace>): boolean {
    if (typeof action === "number") return this.action[0] === action
    return isList(action) && this.action.every((value, k) => value === action[k])
  }

  private read(action: ActionOf<ActionSpace>): void {
    if (typeof action === "number") this.action[0] = action
    else if (isList(action)) { for (let k = 0; k < this.action.length; k++) this.action[k] = Number(action[k]) }
  }
}

/** All worlds of a bridge in this thread. */
export class Crowd {
  private readonly kind: Kind
  private count = 0
  private announced: Array<World> = []
  /** Worlds that nobody has any more: Python is told with the next reset. */
  private readonly left: Array<number> = []
  private readonly registry = new FinalizationRegistry((number: number) => void this.left.push(number))

  constructor(kind: Kind) {
    this.kind = kind
  }

  /** A world whose state lies there. */
  world(state: Float64Array): World {
    const number = this.count++
    const world = new World(this.kind, this, number, state)
    this.registry.register(world, number)
    return world
  }

  announce(world: World): void {
    if (!this.announced.includes(world)) this.announced.push(world)
  }

  /** Takes the step of all that have said so, and of `wanted` in any case. */
  flush(wanted: World): void {
    const worlds = this.announced
    this.announced = []
    try {
      this.stepAll(worlds)
    } catch (cause) {
      for (const world of worlds) world.forget()
      // What is wrong with another is its own: it is told when its turn comes.
      if (!(cause instanceof WorldFault) || cause.world === wanted.number || worlds.length === 1) throw told(cause)
      try {
        this.stepAll([wanted])
      } catch (own) {
        wanted.forget()
        throw told(own)
      }
    }
  }

  private stepAll(worlds: ReadonlyArray<World>): void {
    const { size, width } = this.kind
    const count = worlds.length
    const answer = this.ask(asked.step, () => {
      for (const world of worlds) if (!world.isLive()) world.bring()
      const words = 8 + 8 * count * width
      const payload = new Uint8Array(words + count * (4 + 4 * Pcg64.words + 1))
      new DataView(payload.buffer).setUint32(0, count, true)
      const actions = new Float64Array(payload.buffer, 8, count * width)
      const numbers = new Uint32Array(payload.buffer, words, count)
      const streams = new Uint32Array(payload.buffer, words + 4 * count, count * Pcg64.words)
      worlds.forEach((world, k) => {
        actions.set(world.action, k * width)
        numbers[k] = world.number
        const changed = world.changedWords()
        if (changed === undefined) return
        streams.set(changed, k * Pcg64.words)
        payload[words + count * (4 + 4 * Pcg64.words) + k] = 1
      })
      return payload
    })
    // The answer's memory is used again: what is in it is copied.
    const { buffer } = answer.slice()
    const words = 8 * count
    const rows = words + 4 * Pcg64.words * count
    const flags = new Uint8Array(buffer, rows + 4 * size * count)
    const rewards = new Float64Array(buffer, 0, count)
    worlds.forEach((world, k) =>
      world.stepped({
        reward: rewards[k]!,
        terminated: flags[2 * k] === 1,
        truncated: flags[2 * k + 1] === 1,
        words: new Uint32Array(buffer, words + 4 * Pcg64.words * k, Pcg64.words),
        observation: new Float32Array(buffer, rows + 4 * size * k, size)
      })
    )
  }

  /** A request that begins an episode of a world: its start, and for a replay the actions. */
  begin(
    world: World,
    start: Float64Array,
    steps: number,
    options?: JsonRecord,
    actions: Float64Array = new Float64Array(0)
  ): Uint8Array {
    const text = options === undefined ? new Uint8Array(0) : new TextEncoder().encode(JSON.stringify(options))
    const payload = new Uint8Array(56 + 8 * actions.length + text.length)
    if (this.kind.sharesStream) new Uint32Array(payload.buffer, 8, Pcg64.words).set(start)
    else new Float64Array(payload.buffer, 0, 1)[0] = start[0]!
    new Uint32Array(payload.buffer, 48, 2).set([world.number, steps])
    new Float64Array(payload.buffer, 56, actions.length).set(actions)
    payload.set(text, 56 + 8 * actions.length)
    return payload
  }

  /** Asks the bridge; a process that is gone is begun anew, and the request made again. Throws an EnvironmentMistake or a WorldFault. */
  ask(kind: number, payload: () => Uint8Array): Uint8Array {
    const { bridge } = this.kind
    let deaths = 0
    let silences = 0
    for (;;) {
      try {
        if (!bridge.isOpen) bridge.startNow()
        if (kind === asked.reset) this.leave()
        return bridge.ask(kind, payload())
      } catch (cause) {
        if (!(cause instanceof Gone)) throw cause
        deaths += 1
        if (cause.silent) silences += 1
        const words = bridge.lastWords()
        bridge.end()
        if (deaths < mostDeaths && silences < mostSilences) continue
        const often = deaths === 1 ? "" : `, ${deaths} times in a row`
        throw new EnvironmentMistake(`its Python process was lost${often}: ${cause.message}${words}`)
      }
    }
  }

  private leave(): void {
    for (let number = this.left.pop(); number !== undefined; number = this.left.pop()) {
      this.kind.bridge.ask(asked.close, new Uint8Array(Uint32Array.of(number).buffer))
    }
  }
}

/** What whoever steps the world tells as it is. */
const told = (cause: unknown): unknown =>
  cause instanceof NoBridge
    ? new EnvironmentMistake(`its Python process cannot be begun anew: ${cause.message}`)
    : cause instanceof WorldFault
    ? new EnvironmentMistake(cause.message)
    : cause
