/** The word a mistyped one was meant to be: for ids, and for whatever else a person types. */

/** Edit distance after Levenshtein, with a swap of neighbors counted as one edit. */
export const distance = (from: string, to: string): number => {
  let before: Array<number> = []
  let previous = Array.from({ length: to.length + 1 }, (_, j) => j)
  for (let i = 1; i <= from.length; i++) {
    const current = [i]
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1
      let best = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + same)
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        best = Math.min(best, before[j - 2]! + 1)
      }
      current.push(best)
    }
    before = previous
    previous = current
  }
  return previous[to.length]!
}

/** The candidate nearest to `word`, if one is near enough (a third of its letters) to be worth naming. */
export const nearest = (word: string, candidates: ReadonlyArray<string>): string | undefined => {
  let best: string | undefined
  let least = Math.max(3, Math.floor(word.length / 3))
  for (const candidate of candidates) {
    // Each letter more or less is an edit: a word of another length takes no looking at, however long it is.
    if (Math.abs(word.length - candidate.length) > least) continue
    const edits = distance(word.toLowerCase(), candidate.toLowerCase())
    // Of two as near the later, which is the newer version of an environment.
    if (edits <= least) {
      best = candidate
      least = edits
    }
  }
  return best
}
