/** The float64 reference: the whole learner in readable TypeScript, oracle of the kernels. */
export * from "./losses.ts"
export * from "./network.ts"
export * from "./updates.ts"
