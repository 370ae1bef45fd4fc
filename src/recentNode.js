/**
 * Ends the program with one sentence where this Node is too old for it. Plain JavaScript, imported before anything else:
 * an old Node reads no TypeScript, and knows of much that is imported only that it has never heard of it.
 */
const least = [22, 19]

const [major, minor] = process.versions.node.split(".").map(Number)

if (major < least[0] || (major === least[0] && minor < least[1])) {
  process.stderr.write(
    `Troupe needs Node ${least.join(".")} or newer, and this is Node ${process.versions.node}: ` +
      "get a newer one from https://nodejs.org.\n"
  )
  process.exit(1)
}
