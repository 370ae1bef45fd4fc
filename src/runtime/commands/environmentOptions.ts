/**
 * The flags that all verbs with an environment have: `--env-option`, its keyword options (Gymnasium's arguments of `make`),
 * and where no run has it among its settings, `--wrap`.
 */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import type { JsonRecord } from "../../envs/EnvironmentDefinition.ts"
import { optionValue } from "../../envs/options.ts"
import { options } from "../config/RunConfig.ts"

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

/** What was given by `--wrap`, the innermost first. */
export const wrappers: Flag.Flag<ReadonlyArray<string>> = Flag.String("wrap").pipe(
  Flag.withMetavar("name:option"),
  Flag.withDescription(options.wrap.help),
  Flag.atLeast(0)
)
