/** The flag `--env-option`, which all verbs with an environment have: its keyword options, Gymnasium's arguments of `make`. */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import type { JsonRecord } from "../../envs/EnvironmentDefinition.ts"
import { optionValue } from "../../envs/options.ts"

/** What was given by `--env-option name=value`, once or several times; nothing where it was not. */
export const environmentOptions: Flag.Flag<JsonRecord | undefined> = Flag.KeyValuePair("env-option").pipe(
  Flag.withDescription(
    "an option of the environment, such as is_slippery=false (docs/environments.md); may be repeated"
  ),
  Flag.optional,
  Flag.map((given) =>
    Option.getOrUndefined(
      Option.map(given, (texts) =>
        Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, optionValue(text)])))
    )
  )
)
