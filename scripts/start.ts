/** `npm start`: makes sure that what runs was built from these sources, then hands over to the command line. */
import { ensureBuilt } from "./build.ts"

const { problems } = await ensureBuilt()
if (problems.length > 0) process.exit(1)
await import(new URL("../dist/cli.js", import.meta.url).href)
