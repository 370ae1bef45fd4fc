/**
 * Units: environments next to each other whose gradients are summed together, and the units' sums in their order. They
 * depend on the number of environments alone, so that no layout changes the order in which anything is added.
 */

/** Gradients are summed in at most this many units. */
const mostUnits = 64

/** How many environments form a unit: one, up to 64 of them; at their own pace always one. */
export const unitSize = (environments: number, ownPace: boolean): number =>
  ownPace ? 1 : Math.ceil(environments / mostUnits)
