/** The algorithms by name, as `--algo` takes them. */
import type { RunConfig } from "../RunConfig.ts"
import { a2c } from "./a2c.ts"

export const algorithms = { a2c } satisfies { readonly [Name in RunConfig["algo"]]: unknown }
