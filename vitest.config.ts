/** Tests run from the sources; only the WebAssembly kernels and the bundled entries come from `dist/`, built first. */
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^troupe$/, replacement: source("index.ts") },
      { find: /^troupe\/(actors|envs|model|random|simulation|testing)$/, replacement: source("$1/index.ts") },
      { find: /^troupe\/testing\/vitest$/, replacement: source("testing/vitest.ts") }
    ]
  },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/build.setup.ts"],
    // Every address that a test gives the kernels is looked at first: `src/model/kernels/checkedJobs.ts`.
    env: { CHECKED_KERNELS: "1" },
    reporters: ["default", "./test/summary.reporter.ts"],
    testTimeout: 30_000
  }
})
