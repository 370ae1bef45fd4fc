/**
 * Blackjack: Gymnasium's `Blackjack-v1`, card for card.
 *
 * ## Description
 * The player draws cards to come closer to 21 than the dealer without going over it. Cards are drawn with replacement:
 * 2 to 10 count as they are, the jack, queen and king 10, an ace 11 where that does not go over 21 (it is usable then) and
 * 1 otherwise. The dealer draws up to 17. Sutton and Barto, "Reinforcement Learning: An Introduction" (2020), example 5.1.
 *
 * ## Action space
 * `Discrete(2)`: 0 stick, 1 hit.
 *
 * ## Observation space
 * `Tuple(Discrete(32), Discrete(11), Discrete(2))`: the player's sum, the dealer's open card (1 is an ace), whether the player
 * has a usable ace.
 *
 * ## Rewards
 * 1 for winning, -1 for losing, 0 for a draw and for every step before the last.
 *
 * ## Starting state
 * Two cards each. The player's sum is 4 to 21.
 *
 * ## Episode end
 * Termination: the player sticks, or goes over 21. There is no time limit.
 *
 * ## Arguments
 * - `natural` (`false`): winning with an ace and a ten pays 1.5.
 * - `sab` (`true`): the rules of Sutton and Barto: an ace and a ten win against any hand but the same; `natural` is not looked at.
 *
 * ## Version history
 * - v1: naturals corrected.
 */
import * as Schema from "effect/Schema"
import type { Pcg64 } from "../../random/index.ts"
import { Environment } from "../Environment.ts"
import type { Dynamics, EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { withOptions } from "../options.ts"
import { Discrete } from "../spaces/Discrete.ts"
import { Tuple } from "../spaces/Tuple.ts"
import {
  dealerAce,
  dealerCards,
  dealerSum,
  openCard,
  openFace,
  openSuit,
  over,
  playerAce,
  playerCards,
  playerSum,
  stateSize,
  total,
  usableAce
} from "./hand.ts"
import { pace, renderBlackjackAnsi, renderBlackjackSvg } from "./rendering.ts"

const sums = 32
const cards = 11

/** One of the thirteen ranks, each as likely: what it counts, an ace 1. */
const draw = (random: Pcg64): number => Math.min(10, 1 + random.integers(0, 13))

/** Adds a card to the hand whose numbers begin at `sum`. */
const take = (state: Float64Array, sum: number, card: number): void => {
  state[sum] = state[sum]! + card
  if (card === 1) state[sum + 1] = 1
  state[sum + 2] = state[sum + 2]! + 1
}

/** What a hand is worth: nothing over 21. */
const score = (sum: number, ace: number): number => sum > 21 ? 0 : total(sum, ace)

/** An ace and a ten. */
const isNatural = (sum: number, ace: number, count: number): boolean => count === 2 && ace === 1 && sum === 11

interface Rules {
  readonly natural: boolean
  readonly sab: boolean
}

const create = ({ natural, sab }: Rules) => (state: Float64Array): Dynamics<number> => {
  const transition = { reward: 0, terminated: false }

  const settle = (): number => {
    const player = score(state[playerSum]!, state[playerAce]!)
    const dealer = score(state[dealerSum]!, state[dealerAce]!)
    const reward = player > dealer ? 1 : player < dealer ? -1 : 0
    if (!isNatural(state[playerSum]!, state[playerAce]!, state[playerCards]!)) return reward
    if (sab) return isNatural(state[dealerSum]!, state[dealerAce]!, state[dealerCards]!) ? reward : 1
    return natural && reward === 1 ? 1.5 : reward
  }

  return {
    reset: (random) => {
      state.fill(0)
      take(state, dealerSum, state[openCard] = draw(random))
      take(state, dealerSum, draw(random))
      take(state, playerSum, draw(random))
      take(state, playerSum, draw(random))
      // Drawn for the picture alone, but from the same stream.
      state[openSuit] = random.integers(0, 4)
      if (state[openCard] === 10) state[openFace] = random.integers(0, 3)
    },
    step: (action, random) => {
      if (action === 1) {
        take(state, playerSum, draw(random))
        const bust = state[playerSum]! > 21
        transition.reward = bust ? -1 : 0
        transition.terminated = bust
        if (bust) state[over] = 1
        return transition
      }
      while (total(state[dealerSum]!, state[dealerAce]!) < 17) take(state, dealerSum, draw(random))
      state[over] = 1
      transition.reward = settle()
      transition.terminated = true
      return transition
    },
    observe: (observation) => {
      const sum = state[playerSum]!
      const ace = state[playerAce]!
      observation.fill(0)
      observation[total(sum, ace)] = 1
      observation[sums + state[openCard]!] = 1
      observation[sums + cards + usableAce(sum, ace)] = 1
    }
  }
}

export const BlackjackV1: EnvironmentDefinition<Discrete> = withOptions(
  "Blackjack-v1",
  {
    natural: { schema: Schema.Boolean, byDefault: false, about: "winning with an ace and a ten pays 1.5" },
    sab: { schema: Schema.Boolean, byDefault: true, about: "the rules of Sutton and Barto" }
  },
  (rules) =>
    Environment.define({
      id: "Blackjack-v1",
      observationSpace: new Tuple([new Discrete(sums), new Discrete(cards), new Discrete(2)]),
      actionSpace: new Discrete(2),
      stateSize,
      create: create(rules),
      rendering: { pace, ansi: renderBlackjackAnsi, svg: renderBlackjackSvg }
    })
)
