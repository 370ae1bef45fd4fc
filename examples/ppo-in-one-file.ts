/**
 * Proximal policy optimization on CartPole, all of it in this file: `node examples/ppo-in-one-file.ts --seed 1`.
 *
 * This is what `npm start -- --algo ppo --seed 1` computes, without actors, threads, WebAssembly or Effect, and it ends with
 * the same weights to the last bit. `diff examples/a2c-in-one-file.ts examples/ppo-in-one-file.ts` shows what is PPO about
 * it: the experience is gone over several times, in minibatches, and the clipped surrogate keeps the policy near the one that
 * acted. Read it from top to bottom; the algorithm is section 7.
 *
 * Schulman et al. 2017, "Proximal Policy Optimization Algorithms".
 */
import { createHash } from "node:crypto"

// ---- 1. Settings ----------------------------------------------------------------------------------------------------

const ENVIRONMENTS = 10
const STEPS = 20 // of every environment between two updates
const BATCH = ENVIRONMENTS * STEPS
const INPUTS = 4
const HIDDEN = 64
const ACTIONS = 2
const EPOCHS = 8 // passes over a batch
const MINIBATCH = 50
const MINIBATCHES = BATCH / MINIBATCH
const CLIP_RANGE = 0.2
const GAMMA = 0.98
const LAMBDA = 0.95 // of generalized advantage estimation
const LEARNING_RATE = 0.006
const VALUE_COEFFICIENT = 0.25
const MAX_GRADIENT_NORM = 0.5
const ADAM_MEAN_DECAY = 0.9
const ADAM_SQUARE_DECAY = 0.999
const ADAM_EPSILON = 1e-5
const SOLVED = 475 // the reward threshold of Gymnasium's CartPole-v1
const EVALUATION_EPISODES = 100

// ---- 2. Random streams, as NumPy's default_rng(SeedSequence(seed, spawn_key=role)) ----------------------------------

/** Four 64-bit words to seed a stream with (O'Neill 2015, "Developing a seed_seq alternative"). */
const seedSequence = (entropy: ReadonlyArray<number>): ReadonlyArray<bigint> => {
  const hash = (constant: number, multiplier: number) => (value: number): number => {
    const mixed = value ^ constant
    constant = Math.imul(constant, multiplier)
    const product = Math.imul(mixed, constant)
    return product ^ (product >>> 16)
  }
  const absorb = hash(0x43b0d7e5, 0x931e8875)
  const emit = hash(0x8b51f9dd, 0x58f38ded)
  const pool = entropy.slice(0, 4).map(absorb)
  const mix = (to: number, word: number): void => {
    const mixed = Math.imul(0xca01f9dd, pool[to]!) - Math.imul(0x4973f715, absorb(word)) | 0
    pool[to] = mixed ^ (mixed >>> 16)
  }
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) if (from !== to) mix(to, pool[from]!)
  }
  for (const word of entropy.slice(4)) {
    for (let to = 0; to < 4; to++) mix(to, word)
  }
  const halves = Array.from({ length: 8 }, (_, i) => BigInt(emit(pool[i % 4]!) >>> 0))
  return [0, 2, 4, 6].map((i) => (halves[i + 1]! << 32n) | halves[i]!)
}

/** PCG64 (O'Neill 2014). The role keeps streams of one seed apart. */
class RandomStream {
  #state: bigint
  #upper: number | undefined
  readonly #increment: bigint

  constructor(seed: number, role: ReadonlyArray<number> = []) {
    const [a, b, c, d] = seedSequence([seed >>> 0, Math.floor(seed / 4294967296), 0, 0, ...role])
    this.#increment = BigInt.asUintN(128, (((c! << 64n) | d!) << 1n) | 1n)
    this.#state = this.#increment + ((a! << 64n) | b!)
    this.uniform(0, 1)
  }

  /** The next 64 bits. */
  #next(): bigint {
    this.#state = BigInt.asUintN(128, this.#state * 0x2360ed051fc65da44385df649fccf645n + this.#increment)
    // XSL-RR: the two halves xored, then rotated right by the top six bits.
    const word = BigInt.asUintN(64, this.#state ^ (this.#state >> 64n))
    const by = this.#state >> 122n
    return BigInt.asUintN(64, (word >> by) | (word << (64n - by)))
  }

  /** Uniform in [low, high): 53 bits make a double. */
  uniform(low: number, high: number): number {
    return low + (high - low) * (Number(this.#next() >> 11n) / 9007199254740992)
  }

  /** The numbers 0 to n - 1 in random order. Of 64 bits the lower half is drawn first, then the upper. */
  permutation(n: number): ReadonlyArray<number> {
    const order = Array.from({ length: n }, (_, i) => i)
    const draw = () => {
      const upper = this.#upper
      this.#upper = undefined
      if (upper !== undefined) return upper
      const word = this.#next()
      this.#upper = Number(word >> 32n)
      return Number(word & 0xffffffffn)
    }
    for (let i = n - 1; i > 0; i--) {
      const mask = -1 >>> Math.clz32(i)
      let j = draw() & mask
      while (j > i) j = draw() & mask
      ;[order[i], order[j]] = [order[j]!, order[i]!]
    }
    return order
  }
}

// ---- 3. The environment: CartPole-v1, in Gymnasium's order of operations --------------------------------------------

// fdlibm's k_sin.c and k_cos.c, for the small angles of a standing pole. (Math.sin differs from engine to engine.)
const sin = (x: number): number => {
  const z = x * x
  const high = 2.75573137070700676789e-06 + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)
  const low = 8.33333333332248946124e-03 + z * (-1.98412698298579493134e-04 + z * high)
  return x + z * x * (-1.66666666666666324348e-01 + z * low)
}
const cos = (x: number): number => {
  const z = x * x
  const low = 4.16666666666666019037e-02 + z * (-1.38888888888741095749e-03 + z * 2.48015872894767294178e-05)
  const high = -2.75573143513906633035e-07 + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)
  const half = 0.5 * z
  const w = 1 - half
  return w + (((1 - w) - half) + z * (z * low + z * z * (z * z) * high))
}

/** Barto, Sutton and Anderson 1983. Every step is rewarded with 1, so that an episode's return is its length. */
class CartPole {
  position = 0
  velocity = 0
  angle = 0
  angularVelocity = 0
  elapsed = 0
  terminated = false // the pole has fallen beyond 12°, or the cart has left the track: there is no future
  truncated = false // time is up, though there would have been a future
  readonly random: RandomStream

  /** The stream goes on from episode to episode, so that no two start alike (Gymnasium's vector environments). */
  constructor(random: RandomStream) {
    this.random = random
    this.reset()
  }

  reset(): void {
    this.position = this.random.uniform(-0.05, 0.05)
    this.velocity = this.random.uniform(-0.05, 0.05)
    this.angle = this.random.uniform(-0.05, 0.05)
    this.angularVelocity = this.random.uniform(-0.05, 0.05)
    this.elapsed = 0
  }

  /** Pushes with 10 N to the left (0) or right (1): cart 1 kg, pole 0.1 kg and 0.5 m to its middle, steps of 0.02 s. */
  step(action: number): number {
    const sine = sin(this.angle)
    const cosine = cos(this.angle)
    const force = action === 1 ? 10 : -10
    const temp = (force + 0.05 * (this.angularVelocity * this.angularVelocity) * sine) / 1.1
    const angularAcceleration = (9.8 * sine - cosine * temp) / (0.5 * (4 / 3 - 0.1 * (cosine * cosine) / 1.1))
    const acceleration = temp - 0.05 * angularAcceleration * cosine / 1.1
    this.position += 0.02 * this.velocity
    this.velocity += 0.02 * acceleration
    this.angle += 0.02 * this.angularVelocity
    this.angularVelocity += 0.02 * angularAcceleration
    this.elapsed++
    this.terminated = Math.abs(this.position) > 2.4 || Math.abs(this.angle) > 12 * 2 * Math.PI / 360
    this.truncated = this.elapsed >= 500
    return 1
  }

  observe(into: Float32Array): Float32Array {
    into.set([this.position, this.velocity, this.angle, this.angularVelocity])
    return into
  }
}

// ---- 4. Float32 functions: exp and log are Cephes' expf and logf (Moshier) ------------------------------------------

// JavaScript computes in float64. Rounding the result of each operation to float32 gives exactly float32 arithmetic;
// a number that is stored in a Float32Array is rounded by the store.
const f32 = Math.fround

/** A polynomial, its highest power first. */
const polynomial = (coefficients: Float32Array, x: number): number => {
  let sum = coefficients[0]!
  for (let k = 1; k < coefficients.length; k++) sum = f32(f32(sum * x) + coefficients[k]!)
  return sum
}
const EXP = new Float32Array([1.98756915e-4, 1.39819995e-3, 8.33345191e-3, 4.16657959e-2, 0.166666655, 0.500000012])
const LOG_HIGH = [7.03768363e-2, -0.115146103, 0.116769987, -0.124201408]
const LOG = new Float32Array([...LOG_HIGH, 0.142493228, -0.166680577, 0.200007148, -0.249999940, 0.333333312])
const TANH_ABOVE = new Float32Array([1.33190881e-8, 2.05834967e-5, 3.49403569e-3, 0.133797184, 1])
const TANH_BELOW = new Float32Array([7.76202739e-7, 3.28309456e-4, 2.58710776e-2, 0.467130333, 1])
const LN2_HIGH = 0.693359375 // ln 2 in two parts: small integers times the first are exact
const LN2_LOW = f32(-2.12194440e-4)

/** One float32 number, and its bits: sign, 8 of exponent, 23 of fraction. */
const real = new Float32Array(1)
const bits = new Int32Array(real.buffer)

/** e^x */
const exp = (x: number): number => {
  if (x < f32(-87.33654)) return 0
  // x = n ln 2 + r. Adding 1.5 · 2^23 and taking it away rounds to the nearest integer.
  const n = f32(f32(f32(x * f32(Math.LOG2E)) + 12582912) - 12582912)
  const r = f32(f32(x - f32(n * LN2_HIGH)) - f32(n * LN2_LOW))
  bits[0] = (n + 127) << 23 // 2^n
  return f32(f32(f32(f32(polynomial(EXP, r) * f32(r * r)) + r) + 1) * real[0]!)
}

const log = (x: number): number => {
  // x = 2^e (1 + r) with sqrt(1/2) <= 1 + r < sqrt(2)
  real[0] = x
  const e = (bits[0]! - 0x3f3504f3) >> 23
  bits[0]! -= e << 23
  const r = f32(real[0] - 1)
  const z = f32(r * r)
  const tail = f32(f32(f32(f32(polynomial(LOG, r) * r) * z) + f32(e * LN2_LOW)) - f32(z * 0.5))
  return f32(f32(r + tail) + f32(e * LN2_HIGH))
}

/** c P(c²) / Q(c²), fitted to the smallest relative error; beyond 9.02, tanh is 1 in float32. */
const tanh = (x: number): number => {
  const c = Math.max(-f32(9.02), Math.min(x, f32(9.02)))
  const z = f32(c * c)
  return Math.max(-1, Math.min(1, f32(f32(c * polynomial(TANH_ABOVE, z)) / polynomial(TANH_BELOW, z))))
}

/** The sum of 2^k numbers, half of them added to the other half until one is left. */
const fold = (sums: Float32Array | Float64Array): number => {
  for (let half = sums.length >> 1; half > 0; half >>= 1) {
    for (let k = 0; k < half; k++) sums[k]! += sums[k + half]!
  }
  return sums[0]!
}

// ---- 5. The networks: actor 4 -> 64 tanh -> 2 logits and critic 4 -> 64 tanh -> 1 value, nothing shared -------------

const SIZE = 2 * HIDDEN * (INPUTS + 1) + (ACTIONS + 1) * (HIDDEN + 1)

/** Names for the parts of one flat array of parameters, and room for what a forward pass leaves. */
const networks = (flat: Float32Array) => {
  let next = 0
  const take = (length: number) => flat.subarray(next, next += length)
  const network = (outputs: number) => ({
    hidden: { weight: take(INPUTS * HIDDEN), bias: take(HIDDEN) }, // weight [in][out]
    head: { weight: take(outputs * HIDDEN), bias: take(outputs) }, // weight [out][in]
    active: new Float32Array(HIDDEN),
    output: new Float32Array(outputs)
  })
  return { actor: network(ACTIONS), critic: network(1) }
}
/** Parameters, or a gradient, whose `output` is then the loss's derivative by the output. */
type Network = ReturnType<typeof networks>["actor"]

/** Weights and biases uniform within ±1/√inputs (PyTorch's Linear), in PyTorch's order: weight [out][in], then bias. */
const initialize = ({ head, hidden }: Network, random: RandomStream): void => {
  const draw = (inputs: number) => random.uniform(-1 / Math.sqrt(inputs), 1 / Math.sqrt(inputs))
  for (let o = 0; o < HIDDEN; o++) {
    for (let i = 0; i < INPUTS; i++) hidden.weight[i * HIDDEN + o] = draw(INPUTS)
  }
  for (let o = 0; o < HIDDEN; o++) hidden.bias[o] = draw(INPUTS)
  for (let k = 0; k < head.weight.length; k++) head.weight[k] = draw(HIDDEN)
  for (let o = 0; o < head.bias.length; o++) head.bias[o] = draw(HIDDEN)
}

/** Partial sums of a dot product: eight, as the lanes of two SIMD registers hold them. */
const lanes = new Float32Array(8)

const forward = ({ active, head, hidden, output }: Network, input: Float32Array): Float32Array => {
  active.set(hidden.bias)
  for (let i = 0; i < INPUTS; i++) {
    for (let h = 0; h < HIDDEN; h++) active[h]! += f32(input[i]! * hidden.weight[i * HIDDEN + h]!)
  }
  for (let h = 0; h < HIDDEN; h++) active[h] = tanh(active[h]!)
  for (let o = 0; o < output.length; o++) {
    lanes.fill(0)
    for (let h = 0; h < HIDDEN; h++) lanes[h % 8]! += f32(active[h]! * head.weight[o * HIDDEN + h]!)
    output[o] = fold(lanes) + head.bias[o]!
  }
  return output
}

/** Backpropagation from `gradient.output` for the input of the last forward pass; adds to what `gradient` holds. */
const backward = ({ active, head }: Network, input: Float32Array, gradient: Network): void => {
  const { output } = gradient
  for (let o = 0; o < output.length; o++) gradient.head.bias[o]! += output[o]!
  for (let h = 0; h < HIDDEN; h++) {
    const a = active[h]!
    let down = 0
    for (let o = 0; o < output.length; o++) {
      down = f32(down + f32(output[o]! * head.weight[o * HIDDEN + h]!))
      gradient.head.weight[o * HIDDEN + h]! += f32(output[o]! * a)
    }
    const delta = f32(down * f32(1 - f32(a * a))) // tanh' = 1 - tanh²
    for (let i = 0; i < INPUTS; i++) gradient.hidden.weight[i * HIDDEN + h]! += f32(input[i]! * delta)
    gradient.hidden.bias[h]! += delta
  }
}

// ---- 6. Policy, loss and optimizer ---------------------------------------------------------------------------------

/** Draws from the softmax of two logits with one uniform number. */
const sample = (logits: Float32Array, random: RandomStream): number => {
  const largest = Math.max(logits[0]!, logits[1]!)
  const first = exp(f32(logits[0]! - largest))
  const total = f32(first + exp(f32(logits[1]! - largest)))
  return random.uniform(0, 1) * total < first ? 0 : 1
}

/** log p of both actions. */
const logProbabilities = (logits: Float32Array): readonly [number, number] => {
  const largest = Math.max(logits[0]!, logits[1]!)
  const logTotal = log(f32(exp(f32(logits[0]! - largest)) + exp(f32(logits[1]! - largest))))
  return [f32(f32(logits[0]! - largest) - logTotal), f32(f32(logits[1]! - largest) - logTotal)]
}

/**
 * Derivatives by the logits of -min(ratio · A, clip(ratio) · A), the ratio that of the policy now to the one that acted: where
 * the surrogate is not clipped, ratio · A · (p_j - 1{j = action}), otherwise 0. The advantage A is a constant.
 */
const policyGradient = (
  logits: Float32Array,
  action: number,
  behaviorLogP: number,
  advantage: number,
  into: Float32Array
): void => {
  const logP = logProbabilities(logits)
  const ratio = exp(f32(logP[action === 0 ? 0 : 1] - behaviorLogP))
  const surrogate = f32(ratio * advantage)
  const clipped = f32(f32(Math.max(1 - CLIP_RANGE, Math.min(1 + CLIP_RANGE, ratio))) * advantage)
  const weight = surrogate <= clipped ? surrogate : 0
  for (let j = 0; j < ACTIONS; j++) into[j] = f32(weight * f32(exp(logP[j === 0 ? 0 : 1]) - (j === action ? 1 : 0)))
}

/** What Adam remembers of each parameter, and how many steps it has taken. */
const adamState = () => ({
  mean: new Float32Array(SIZE),
  square: new Float32Array(SIZE),
  meanWeight: 1,
  squareWeight: 1
})

/** A number so small that it counts nothing is 0. */
const settled = (x: number): number => Math.abs(x) >= f32(7.888609e-31) ? x : 0

/**
 * Adam (Kingma and Ba 2015, algorithm 1), after clipping the norm of the gradient. The loss is the mean over the minibatch,
 * and `gradient` the sum.
 */
const optimize = (parameters: Float32Array, gradient: Float32Array, state: ReturnType<typeof adamState>): void => {
  const sums = new Float64Array(4)
  const last = SIZE - SIZE % 4
  for (let k = 0; k < last; k++) sums[k % 4]! += gradient[k]! * gradient[k]!
  let squaredNorm = fold(sums)
  for (let k = last; k < SIZE; k++) squaredNorm += gradient[k]! * gradient[k]!
  const norm = Math.sqrt(squaredNorm) / MINIBATCH
  const scale = f32(Math.min(1, MAX_GRADIENT_NORM / (norm + 1e-6)) / MINIBATCH) // PyTorch's clip_grad_norm_
  const { mean, square } = state
  state.meanWeight *= ADAM_MEAN_DECAY
  state.squareWeight *= ADAM_SQUARE_DECAY
  const step = f32(LEARNING_RATE / (1 - state.meanWeight))
  const root = f32(1 / Math.sqrt(1 - state.squareWeight))
  for (let k = 0; k < SIZE; k++) {
    const g = f32(scale * gradient[k]!)
    const m = settled(f32(f32(f32(ADAM_MEAN_DECAY) * mean[k]!) + f32(f32(1 - ADAM_MEAN_DECAY) * g)))
    const v = settled(f32(f32(f32(ADAM_SQUARE_DECAY) * square[k]!) + f32(f32(1 - ADAM_SQUARE_DECAY) * f32(g * g))))
    mean[k] = m
    square[k] = v
    const size = f32(f32(f32(Math.sqrt(v)) * root) + f32(ADAM_EPSILON))
    parameters[k]! -= f32(f32(step * m) / size)
  }
}

/** (A - mean) / (deviation + 1e-8) of the rows of a minibatch, the deviation that of a sample. */
const normalization = (advantages: ReadonlyArray<number>): (advantage: number) => number => {
  const mean = advantages.reduce((sum, advantage) => sum + advantage, 0) / advantages.length
  const squares = advantages.reduce((sum, advantage) => sum + (advantage - mean) * (advantage - mean), 0)
  const scale = 1 / (Math.sqrt(squares / (advantages.length - 1)) + 1e-8)
  return (advantage) => f32((advantage - mean) * scale)
}

// ---- 7. Training ----------------------------------------------------------------------------------------------------

/** One environment with its own random streams, and what its last steps gave. */
const makeWorker = (seed: number, index: number) => ({
  environment: new CartPole(new RandomStream(seed + index)),
  sampling: new RandomStream(seed, [1, index]),
  fragment: Array.from({ length: STEPS }, () => ({
    observation: new Float32Array(INPUTS),
    action: 0,
    logProbability: 0,
    reward: 0,
    ended: false,
    value: 0,
    valueAfter: 0, // of what follows, where the episode or the fragment ends
    advantage: 0,
    target: 0 // what the critic is to answer
  }))
})

/** The mean return of fresh episodes in which the actor takes its likeliest action. */
const evaluate = (actor: Network, seed: number, round: number): number => {
  const observation = new Float32Array(INPUTS)
  let sum = 0
  for (let k = 0; k < EVALUATION_EPISODES; k++) {
    const environment = new CartPole(new RandomStream(seed, [3, round * EVALUATION_EPISODES + k]))
    do {
      const logits = forward(actor, environment.observe(observation))
      sum += environment.step(logits[1]! > logits[0]! ? 1 : 0)
    } while (!environment.terminated && !environment.truncated)
  }
  return sum / EVALUATION_EPISODES
}

/** Trains until CartPole is solved, or for `totalTimesteps` of all environments together. */
export const train = ({ seed, totalTimesteps = 500_000 }: { seed: number; totalTimesteps?: number }) => {
  const parameters = new Float32Array(SIZE)
  const gradient = new Float32Array(SIZE)
  const total = new Float32Array(SIZE)
  const adam = adamState()
  const { actor, critic } = networks(parameters)
  const gradients = networks(gradient)
  const initial = new RandomStream(seed, [2])
  initialize(actor, initial)
  initialize(critic, initial)

  const workers = Array.from({ length: ENVIRONMENTS }, (_, index) => makeWorker(seed, index))
  const last = STEPS - 1
  const observation = new Float32Array(INPUTS)
  const returns: Array<number> = [] // of the episodes, in the order in which they ended
  let envSteps = 0
  let train20: number | null = null
  let evalMean: number | null = null
  let evaluations = 0
  let evaluateFrom = 0
  let solved = false

  while (!solved && envSteps < totalTimesteps) {
    // Act: all environments with the same weights.
    for (let t = 0; t < STEPS; t++) {
      for (const { environment, fragment, sampling } of workers) {
        const step = fragment[t]!
        environment.observe(step.observation)
        step.value = forward(critic, step.observation)[0]!
        const logits = forward(actor, step.observation)
        step.action = sample(logits, sampling)
        step.logProbability = logProbabilities(logits)[step.action === 0 ? 0 : 1]
        step.reward = environment.step(step.action)
        step.ended = environment.terminated || environment.truncated
        // Nothing comes after termination; a truncated episode would have gone on (Pardo et al. 2018, "Time limits").
        if (environment.terminated) step.valueAfter = 0
        else if (environment.truncated || t === last) {
          step.valueAfter = forward(critic, environment.observe(observation))[0]!
        }
        if (step.ended) {
          returns.push(environment.elapsed)
          environment.reset()
        }
      }
    }

    // Targets: generalized advantage estimation (Schulman et al. 2016), in float64, rounded once.
    for (const { fragment } of workers) {
      let advantage = 0
      for (let t = last; t >= 0; t--) {
        const step = fragment[t]!
        const valueAfter = step.ended || t === last ? step.valueAfter : fragment[t + 1]!.value
        if (step.ended) advantage = 0
        advantage = step.reward + GAMMA * valueAfter - step.value + GAMMA * LAMBDA * advantage
        step.advantage = f32(advantage)
        step.target = f32(advantage + step.value)
      }
    }

    // Learn. Each minibatch has its share of every fragment, in an order that is drawn anew in each epoch. A fragment's part
    // of a gradient is summed by itself, so that it does not matter which worker computes it.
    const orders = workers.map((_, index) => new RandomStream(seed, [8, index, 0, envSteps]))
    envSteps += BATCH
    for (let epoch = 0; epoch < EPOCHS; epoch++) {
      const permutations = orders.map((order) => order.permutation(STEPS))
      for (let k = 0; k < MINIBATCHES; k++) {
        const taken = workers.map(({ fragment }, index) =>
          permutations[index]!.slice(k * STEPS / MINIBATCHES, (k + 1) * STEPS / MINIBATCHES).map((t) => fragment[t]!)
        )
        const normalized = normalization(taken.flat().map(({ advantage }) => advantage))
        total.fill(0)
        for (const rows of taken) {
          gradient.fill(0)
          for (const { action, advantage, logProbability, observation, target } of rows) {
            const logits = forward(actor, observation)
            policyGradient(logits, action, logProbability, normalized(advantage), gradients.actor.output)
            backward(actor, observation, gradients.actor)
            // The critic's loss is coefficient · (target - value)², not halved (Stable-Baselines3).
            const error = target - forward(critic, observation)[0]!
            gradients.critic.output[0] = -2 * VALUE_COEFFICIENT * error
            backward(critic, observation, gradients.critic)
          }
          for (let k = 0; k < SIZE; k++) total[k]! += gradient[k]!
        }
        optimize(parameters, total, adam)
      }
    }

    // Solved: the last 20 training episodes reach the threshold, and a greedy evaluation agrees.
    if (returns.length >= 20) train20 = returns.slice(-20).reduce((sum, value) => sum + value) / 20
    if (train20 !== null && train20 >= SOLVED && returns.length >= evaluateFrom) {
      evalMean = evaluate(actor, seed, evaluations++)
      evaluateFrom = returns.length + 5 // more episodes before it is asked again
      solved = evalMean >= SOLVED
    }
  }

  const bytes = new DataView(new ArrayBuffer(4 * SIZE))
  parameters.forEach((parameter, k) => bytes.setFloat32(4 * k, parameter, true))
  const hash = createHash("sha256").update(bytes).digest("hex")
  return { envSteps, episodes: returns.length, train20, evalMean, solved, hash }
}

if (import.meta.main) {
  const flag = process.argv.indexOf("--seed")
  const seed = flag < 0 ? 1 : Number(process.argv[flag + 1])
  if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError("--seed takes a whole number from 0")
  const { envSteps, episodes, evalMean, hash, train20 } = train({ seed })
  console.log({ env_steps: envSteps, episodes, train20, eval_mean: evalMean, weights_sha256: hash })
}
