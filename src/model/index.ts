/**
 * The numbers of a learner: networks and their flat parameters, returns, losses, optimisers, first weights, and the
 * readable float64 reference of it all.
 */
export * from "./categorical.ts"
export * from "./initialise.ts"
export * from "./losses.ts"
export * from "./Network.ts"
export * from "./optimisers.ts"
export * from "./reference/index.ts"
export * from "./returns.ts"
