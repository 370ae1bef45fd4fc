/**
 * Process 1 of a container gets no signal that it does not listen for. Until the command line listens
 * (`runtime/commands/ending.ts`), there is nothing to write down, and a signal ends the program here. Imported first.
 */
const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }

if (process.pid === 1) {
  for (const [signal, code] of Object.entries(signals)) process.on(signal, () => process.exit(code))
}
