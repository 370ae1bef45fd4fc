/** The environment of a run as one reference: what its workers load, and what its policy says it was trained in. */
import { joinReference } from "../../envs/options.ts"
import type { RunConfig } from "./RunConfig.ts"

export const environmentOf = ({ envId, wrap }: Pick<RunConfig, "envId" | "wrap">): string =>
  joinReference(envId, {}, wrap)
