/**
 * Work put off until the messages at hand have been heard, so that what they lead to travels together.
 *
 * Outside of a hearing that is the next microtask. Within one, a microtask would come too late: a thread that hears of
 * messages through shared memory stays in one turn of the event loop for as long as they keep coming. Either would come
 * too late where an actor beside us is about to work for a while: then it is done before.
 */
let hearing = false
let scheduled = false
const put: Array<() => void> = []

/** Runs `task` when the hearing under way is over, otherwise in a microtask; in both cases no later than `settle`. */
export const afterwards = (task: () => void): void => {
  put.push(task)
  if (hearing || scheduled) return
  scheduled = true
  queueMicrotask(() => {
    scheduled = false
    settle()
  })
}

/** Runs what was put off. */
export const settle = (): void => {
  // A task may put off another.
  for (let i = 0; i < put.length; i++) put[i]!()
  put.length = 0
}

/** Runs `hear`, then what was put off meanwhile. Not to be nested. */
export const hear = <A>(body: () => A): A => {
  hearing = true
  try {
    const result = body()
    settle()
    return result
  } finally {
    hearing = false
    put.length = 0
  }
}
