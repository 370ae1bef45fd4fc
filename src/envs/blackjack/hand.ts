/** The state of a Blackjack game: what its dynamics and its pictures share. */

/** Indices of the state's numbers. A hand is its sum with every ace as 1, whether it has an ace, and how many cards. */
export const playerSum = 0
export const playerAce = 1
export const playerCards = 2
export const dealerSum = 3
export const dealerAce = 4
export const dealerCards = 5
/** The dealer's open card, 1 to 10; its suit, 0 to 3; and which of J, Q, K it is where it counts 10. */
export const openCard = 6
export const openSuit = 7
export const openFace = 8
/** Whether the player has done: the dealer's hand is open. */
export const over = 9
export const stateSize = 10

/** 1 if an ace counts 11: the hand has one, and the sum allows it. */
export const usableAce = (sum: number, ace: number): number => ace === 1 && sum + 10 <= 21 ? 1 : 0

/** What a hand counts. */
export const total = (sum: number, ace: number): number => sum + 10 * usableAce(sum, ace)
