/** The kinds of agents that a set-up knows, the messages that they have handlers for, and these handlers, by their indices. */
import type { AnyAgent, ErasedHandler } from "./Agent.ts"
import type { Kind } from "./events.ts"
import { shown } from "./shown.ts"

export class Kinds {
  readonly kinds: Array<Kind> = []
  /** Messages by their index. */
  readonly messageNames: Array<string> = []
  /** By kind, then by message. */
  readonly handlers: Array<Array<ErasedHandler | undefined>> = []
  readonly #indices = new Map<AnyAgent, number>()
  readonly #messages = new Map<string, number>()
  /** The message looked up last: mostly the next too. */
  #lastName = ""
  #lastKind = 0
  readonly #refuse: (problem: string) => never

  constructor(refuse: (problem: string) => never) {
    this.#refuse = refuse
  }

  /** Answers the index of a new kind. */
  add(kind: Kind, handlers: Readonly<Record<string, ErasedHandler>>): number {
    if (this.kinds.some(({ name }) => name === kind.name)) {
      this.#refuse(`has two kinds of agents named ${shown(kind.name)}: give each a name of its own`)
    }
    const own: Array<ErasedHandler | undefined> = []
    for (const [name, handler] of Object.entries(handlers)) {
      let message = this.#messages.get(name)
      if (message === undefined) this.#messages.set(name, message = this.messageNames.push(name) - 1)
      own[message] = handler
    }
    this.handlers.push(own)
    return this.kinds.push(kind) - 1
  }

  register(definition: AnyAgent): number {
    const index = this.add({ is: "agent", name: definition.agentName, definition }, definition.handlers)
    this.#indices.set(definition, index)
    return index
  }

  /** `undefined` where the definition was never registered. */
  indexOf(definition: AnyAgent): number | undefined {
    return this.#indices.get(definition)
  }

  /** The kind of an event that is this message. */
  messageKind(name: string): number {
    if (name === this.#lastName) return this.#lastKind
    const index = this.#messages.get(name)
    if (index === undefined) return this.#refuse(`sent ${shown(name)}, of which no kind of agents has a handler`)
    this.#lastName = name
    return this.#lastKind = 2 * index
  }
}
