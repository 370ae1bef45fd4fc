/**
 * Work put off until the messages at hand have been heard, so that what they lead to travels together.
 *
 * Outside of a hearing that is the next microtask. Within one, a microtask would come too late: a thread that hears of
 * messages through shared memory stays in one turn of the event loop for as long as they keep coming.
 */
let hearing = false
const put: Array<() => void> = []

/** Runs `task` when the hearing under way is over, otherwise in a microtask. */
export const afterwards = (task: () => void): void => {
  if (hearing) put.push(task)
  else queueMicrotask(task)
}

/** Runs `hear`, then what was put off meanwhile. Not to be nested. */
export const hear = <A>(body: () => A): A => {
  hearing = true
  try {
    const result = body()
    // A task may put off another.
    for (let i = 0; i < put.length; i++) put[i]!()
    return result
  } finally {
    hearing = false
    put.length = 0
  }
}
