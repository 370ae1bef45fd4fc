/** How a real thread or process comes to harm on purpose (`Fault`). */
import { type Fault, Injected } from "../Fault.ts"

/** Does it to this thread or process. */
export const harm = (fault: Fault): void => {
  switch (fault) {
    case "terminate":
    case "exit":
      process.exit(86)
    case "throw":
      return queueMicrotask(() => {
        throw new Injected({ fault })
      })
    case "reject":
      return void Promise.reject(new Injected({ fault }))
    case "loop":
      while (true);
    case "stop":
      return void process.kill(process.pid, "SIGSTOP")
    case "memory": {
      const hoard: Array<unknown> = []
      while (true) hoard.push(Array.from({ length: 10_000 }, (_, i) => ({ i })))
    }
  }
}
