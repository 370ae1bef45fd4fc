/** The algorithms by name: what one iteration is. `config/algorithmSettings.ts` says which settings each has. */
import type { AlgorithmName } from "../config/algorithmNames.ts"
import { a2c } from "./a2c.ts"
import { a3c } from "./a3c.ts"

export const algorithms = { a2c, a3c } satisfies Readonly<Record<AlgorithmName, unknown>>
