/**
 * What npm's scripts run a program with: `node scripts/run.js <file> [arguments]`. The file is TypeScript, which a Node
 * that is too old cannot even refuse in a sentence of ours.
 */
import "../src/recentNode.js"
import "../src/processOne.js"
import * as path from "node:path"
import { pathToFileURL } from "node:url"

// The program sees itself as the one that was started.
process.argv.splice(1, 2, path.resolve(process.argv[2]))
await import(pathToFileURL(process.argv[1]).href)
