/** Random streams: NumPy's SeedSequence and PCG64, bit for bit, with a state that can be copied and shared. */
export { Pcg64 } from "./Pcg64.ts"
export { type Entropy, isEntropy, SeedSequence } from "./SeedSequence.ts"
export { environmentStream, evaluationStream, initialWeightsStream, policyStream } from "./streams.ts"
