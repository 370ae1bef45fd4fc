/** A thread of `bench/devices.ts`: computes its part of a batch's gradient whenever it is told to, over shared memory. */
import * as Effect from "effect/Effect"
import { workerData } from "node:worker_threads"
import type { GradientJob } from "../src/model/kernels/jobs.ts"
import { Kernels } from "../src/model/kernels/Kernels.ts"
import type { SharedMemory } from "../src/model/kernels/SharedMemory.ts"

/** What the thread is started with: the memory, the two words it is told and answers by, and what it computes. */
export interface HalfGradient {
  readonly memory: SharedMemory
  readonly control: number
  readonly gradient: GradientJob
}

const { control, gradient, memory }: HalfGradient = workerData
const words = new Int32Array(memory.buffer, control, 2)
const kernels = await Effect.runPromise(Kernels.instantiate(memory))
for (let turn = 0;; turn++) {
  Atomics.store(words, 1, turn)
  Atomics.notify(words, 1)
  while (Atomics.load(words, 0) === turn) Atomics.wait(words, 0, turn)
  kernels.gradients(gradient)
}
