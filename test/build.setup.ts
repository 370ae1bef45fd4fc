/** Builds what the sources alone do not give (kernels, bundles) before the first test, when it is missing or stale. */
import { ensureBuilt } from "../scripts/build.ts"

export default async function setup(): Promise<void> {
  await ensureBuilt()
}
