/** Seconds a step of Acrobot: what its dynamics and its pictures share. */
export const pace = 0.2
