#!/usr/bin/env node
/** The program `troupe` of the package: the command line, where this Node can run it. */
import "./recentNode.js"
import "./processOne.js"

await import("./cli.ts")
