/** Where a CartPole episode ends, and how long a step is: what its dynamics and its pictures share. */

/** The angle, in radians, beyond which the episode ends. */
export const angleThreshold = 12 * 2 * Math.PI / 360
/** The position, in meters from the middle of the track, beyond which the episode ends. */
export const positionThreshold = 2.4
/** Seconds a step. */
export const tau = 0.02
