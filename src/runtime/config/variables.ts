/**
 * Which variables of the environment are settings, and which only look so. One that was meant as a setting must not be
 * ignored in silence; one that an orchestrator sets for every service near by must not keep a run from starting.
 */
import { distance } from "../../envs/nearest.ts"
import { aliasesOf, otherWords } from "./otherWords.ts"
import { flagName, optionNames, variableName } from "./RunConfig.ts"

const prefix = "TROUPE_"

/** What is no setting of a run, and is read elsewhere (`envs/gymnasium/Bridge.ts`). */
const ofPython = ["TROUPE_PYTHON", "TROUPE_PYTHON_DEADLINE", "TROUPE_PYTHON_MEMORY"]

/** What Kubernetes, and Docker where it links, set for a service or container named troupe, or troupe-something. */
const orchestrated = /^TROUPE_(?:.*_)?(?:PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_.*)?)?|SERVICE_HOST|SERVICE_PORT(?:_.+)?)$/

/** A name without what people add or leave out: lines between words, and how large the letters are. */
const squashed = (name: string): string => name.replaceAll(/[_-]/g, "").toUpperCase()

/** Words, squashed, and the variables they mean. */
const meanings: ReadonlyMap<string, string> = new Map([
  // Settings first: of two as near a setting is meant.
  ...optionNames.flatMap((name) =>
    [flagName(name), ...aliasesOf(name)].map((word) => [squashed(word), variableName(name)] as const)
  ),
  ...Object.entries(otherWords).flatMap(([word, flag]): ReadonlyArray<readonly [string, string]> => {
    const [name, value] = flag.slice(2).split(" ")
    const option = optionNames.find((option) => flagName(option) === name)
    if (option === undefined || word.length === 1) return []
    return [[squashed(word), value === undefined ? variableName(option) : `${variableName(option)}=${value}`]]
  })
])

const settings: ReadonlyArray<readonly [squashed: string, variable: string]> = optionNames.map(
  (name) => [squashed(variableName(name)), variableName(name)]
)

/** So many letters may differ in a word of this length. */
const tolerance = (length: number): number => length < 4 ? 0 : length < 8 ? 1 : length < 12 ? 2 : 3

/** The setting that a variable was meant to be, if one is near. */
const meant = (name: string): string | undefined => {
  if (!name.startsWith(prefix)) {
    // The prefix itself is mistyped: then the whole name has to fit.
    const whole = squashed(name)
    return settings.find(([setting]) => Math.abs(setting.length - whole.length) < 2 && distance(setting, whole) < 2)
      ?.[1]
  }
  const word = squashed(name.slice(prefix.length))
  const exact = meanings.get(word)
  if (exact !== undefined) return exact
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const [other, variable] of meanings) {
    const most = tolerance(Math.max(word.length, other.length))
    // Each letter more or less is an edit: a word of another length takes no looking at, however long it is.
    if (Math.abs(word.length - other.length) > most) continue
    const edits = distance(word, other)
    if (edits >= least || edits > most) continue
    best = variable
    least = edits
  }
  return best
}

/** What a name that is no setting comes to: nothing, a refusal, or a word to the person. */
export const judge = (
  name: string
): { readonly refused: string } | { readonly notice: string } | undefined => {
  // Of all others no more than these can have been meant for us.
  if (
    !/^t/i.test(name) || optionNames.some((option) => variableName(option) === name) || orchestrated.test(name) ||
    ofPython.includes(name)
  ) {
    return undefined
  }
  const near = meant(name)
  if (near !== undefined) return { refused: `There is no setting ${name} in the environment. Did you mean ${near}?` }
  // No program sets such a name; a person has mistyped or pasted it.
  if (name.startsWith(prefix) && !/^\w+$/.test(name)) {
    return { refused: `There is no setting ${name} in the environment.` }
  }
  return name.startsWith(prefix) ? { notice: `${name} in the environment is no setting, and is ignored.` } : undefined
}
