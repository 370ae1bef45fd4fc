/**
 * Which reports of progress become rows of the run's files. A run may go on for days and reports many times a second, so
 * the interval between rows doubles as the run grows: all of the first 2048, then 1024 for every doubling of the run. It
 * follows from the number of the report alone, so a run that was resumed has the rows of one that was not.
 */

/** Rows of each doubling. */
const perDoubling = 1024

/**
 * Whether the report after `update` updates becomes a row, where there is one every `logInterval` updates. `rows`: how many
 * there are for each doubling.
 */
export const isRow = (update: number, logInterval: number, rows = perDoubling): boolean => {
  const report = Math.floor(update / logInterval)
  let every = 1
  while (report > 2 * rows * every) every *= 2
  return report % every === 0
}
