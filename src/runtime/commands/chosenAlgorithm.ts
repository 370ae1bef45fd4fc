/**
 * Which algorithm and preset the help is about: those on the command line, or the usual ones. What is said there is
 * checked elsewhere; here a word that is no name counts for nothing.
 */
import { type AlgorithmName, algorithmNames } from "../config/algorithmNames.ts"
import { presets } from "../config/presets.ts"
import type { RunConfig } from "../config/RunConfig.ts"

export interface ChosenAlgorithm {
  readonly algo: AlgorithmName
  readonly preset: RunConfig["preset"]
}

/** The value of a flag among the words of a command line, as `--flag value` or `--flag=value`. */
const valueOf = (words: ReadonlyArray<string>, flag: string): string | undefined => {
  const at = words.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`))
  return words[at] === flag ? words[at + 1] : words[at]?.slice(flag.length + 1)
}

export const chosenAlgorithm = (words: ReadonlyArray<string>): ChosenAlgorithm => {
  const named = algorithmNames.find((name) => name === valueOf(words, "--algo"))
  const wanted = valueOf(words, "--preset")
  const preset = Object.values(presets).find((preset) => preset.preset === wanted) ?? presets[named ?? "a2c"]
  return { algo: named ?? preset.algo, preset: preset.preset }
}
