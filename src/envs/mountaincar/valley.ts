/** The valley of MountainCar: what its dynamics and its pictures share. */
import { sin } from "../../math/index.ts"

export const minPosition = -1.2
export const maxPosition = 0.6
export const maxSpeed = 0.07

/** How high the ground is at a position. */
export const height = (position: number): number => sin(3 * position) * 0.45 + 0.55
