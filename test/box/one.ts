/** One of some values, drawn: the first is the one without surprise. */
export const one = <A>(
  values: ReadonlyArray<A>,
  choose: (n: number, label: string) => number,
  label: string
): A => values[choose(values.length, label)]!
