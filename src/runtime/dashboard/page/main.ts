/** The dashboard's page: listens to its server, and draws what it hears, a few times a second at most. */
import { type Message, paths } from "../Message.ts"
import { showActors, showLoad } from "./actors.ts"
import { Curves } from "./curves.ts"
import { byId } from "./elements.ts"
import { showLog } from "./log.ts"
import { Model } from "./Model.ts"
import { showPictures } from "./pictures.ts"
import { showSubjects } from "./subjects.ts"
import { showWorlds } from "./worlds.ts"

/** Milliseconds between two drawings. */
const pace = 100

const model = new Model()
const curves = new Curves(model)
const link = byId("link")

const draw = (): void => {
  showSubjects(model, drawSoon)
  showWorlds(model)
  curves.draw()
  showPictures(model)
  showActors(model)
  showLoad(model)
  showLog(model)
}

let due = false
const drawSoon = (): void => {
  if (due) return
  due = true
  setTimeout(() => {
    due = false
    draw()
  }, pace)
}
curves.onChange(drawSoon)

/** How it stands with the server, in words. */
const say = (state: "connecting" | "live" | "over" | "lost"): void => {
  link.dataset["state"] = state
  link.textContent = {
    connecting: "connecting",
    live: `live: ${model.program}`,
    over: "the program has ended, and this is how it was",
    lost: "no answer; trying again"
  }[state]
}

const events = new EventSource(paths.events)
let over = false
events.addEventListener("message", ({ data }) => {
  const messages: ReadonlyArray<Message> = JSON.parse(String(data))
  for (const message of messages) {
    over = message.is === "bye"
    model.take(message)
  }
  // Nobody will answer any more.
  if (over) events.close()
  say(over ? "over" : "live")
  drawSoon()
})
events.addEventListener("error", () => say(over ? "over" : "lost"))
