/** Pictures of Blackjack: text for a terminal, SVG for a page. */
import { drawScene, escaped } from "../rendering/scene.ts"
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
  total,
  usableAce
} from "./hand.ts"

/** Seconds a state is shown: there is something to read. */
export const pace = 1

const suits = ["♣", "♦", "♥", "♠"]

const openName = (state: Float64Array): string => {
  const card = state[openCard]!
  const rank = card === 1 ? "A" : card === 10 ? ["J", "Q", "K"][state[openFace]!]! : `${card}`
  return `${rank}${suits[state[openSuit]!] ?? ""}`
}

/** What the two have: a line each. */
const lines = (state: Float64Array): readonly [string, string] => {
  const ace = usableAce(state[playerSum]!, state[playerAce]!) === 1 ? ", an ace as 11" : ""
  const closed = state[over] === 1
    ? `${total(state[dealerSum]!, state[dealerAce]!)} with ${state[dealerCards]!} cards, ${openName(state)} open`
    : `${openName(state)} and a hidden card`
  return [
    `Dealer: ${closed}`,
    `Player: ${total(state[playerSum]!, state[playerAce]!)} with ${state[playerCards]!} cards${ace}`
  ]
}

export const renderBlackjackAnsi = (state: Float64Array): string => lines(state).join("\n")

export const renderBlackjackSvg = (states: ReadonlyArray<Float64Array>): string =>
  drawScene({
    title: "Blackjack",
    width: 420,
    height: 160,
    pace,
    background: `<rect width="420" height="160" fill="#2f7d4f"/>`,
    parts: states.map((state, i) => ({
      shown: states.map((_, j) => i === j),
      body: lines(state).map((line, row) =>
        `<text x="24" y="${60 + row * 56}" fill="#fff" font-family="sans-serif" font-size="22">${escaped(line)}</text>`
      ).join("")
    }))
  }, states.length)
