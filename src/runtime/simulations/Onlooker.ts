/** Somebody who looks at a simulation as it goes: at its beginning, then at every point of its series. */
import type * as Effect from "effect/Effect"
import type { ActorInfo } from "../../actors/ActorSystem.ts"
import type { Row } from "./tables.ts"
import type { Scene } from "./worldPicture.ts"

/** What there is to see at a time. */
export interface Seen {
  readonly time: number
  readonly row: Row
  readonly scenes: ReadonlyArray<Scene>
}

export interface Onlooker {
  readonly begin: (about: {
    readonly model: string
    readonly seed: number
    readonly until: number | undefined
    readonly hosts: number
    readonly config: Readonly<Record<string, unknown>>
    readonly folder: string | null
  }) => void
  /** Its hosts are up: what they do can be asked for. */
  readonly meet: (actors: Effect.Effect<ReadonlyArray<ActorInfo>>) => void
  /** The simulation goes on when this is over. */
  readonly look: (seen: Seen) => Effect.Effect<void>
  /** It is over; `outcome` says what it came to. */
  readonly end: (outcome: string) => void
}
