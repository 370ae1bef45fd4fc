/** The flag of the verbs that load an environment without a run: how long its module may take. */
import * as Flag from "effect/cli/Flag"
import { presets } from "../config/presets.ts"
import { options } from "../config/RunConfig.ts"

export const loadDeadline = Flag.Finite("load-deadline").pipe(
  Flag.withDescription(`${options.loadDeadline.help} (default ${presets.a2c.loadDeadline})`),
  Flag.withSchema(options.loadDeadline.schema),
  Flag.withDefault(presets.a2c.loadDeadline)
)
