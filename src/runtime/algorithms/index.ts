/** The algorithms by schedule: in step, or each at its own pace by whichever clock. */
import type { RunConfig } from "../config/RunConfig.ts"
import { a2c } from "./a2c.ts"
import { a3c } from "./a3c.ts"

export const algorithms = { sync: a2c, async: a3c, seeded: a3c } satisfies {
  readonly [Schedule in RunConfig["schedule"]]: unknown
}
