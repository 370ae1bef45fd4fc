/** The places of CliffWalking: what its dynamics and its pictures share. */

export const rows = 4
export const columns = 12
/** The lower left. */
export const start = 36
/** The lower right. */
export const goal = 47

/** Whether a place is in the cliff: between start and goal. */
export const inCliff = (place: number): boolean => place > start && place < goal
