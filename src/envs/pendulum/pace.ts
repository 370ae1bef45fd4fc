/** Seconds a step of Pendulum: what its dynamics and its pictures share. */
export const pace = 0.05
