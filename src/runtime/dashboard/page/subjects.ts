/** The runs and simulations there are: which are shown, how they stand, what they were made from. */
import { byId, keep, make, within, write } from "./elements.ts"
import type { Model, Subject } from "./Model.ts"

export const showSubjects = (model: Model, changed: () => void): void => {
  const list = within(byId("subjects"), "ul", HTMLUListElement)
  keep(list, Array.from(model.subjects.values()), {
    key: ({ head, id }) => `${id} ${head.folder ?? head.name}`,
    create: ({ id }) => {
      const box = make("input")
      box.type = "checkbox"
      box.addEventListener("change", () => {
        const subject = model.subjects.get(id)
        if (subject !== undefined) model.choose(subject, box.checked)
        changed()
      })
      const label = make(
        "label",
        {},
        box,
        make("span", { class: "swatch" }),
        make("span", { class: "name" }),
        make("span", { class: "state" })
      )
      const facts = make("details", {}, make("summary", { text: "settings" }), make("dl"))
      return make("li", {}, label, facts)
    },
    update: (item, subject) => update(item, subject)
  })
  const [only] = model.subjects.values()
  document.title = model.subjects.size === 1 && only !== undefined ? `${only.head.name}: ${only.head.state}` : "Troupe"
}

const update = (item: HTMLElement, { color, head, shown }: Subject): void => {
  const box = within(item, "input", HTMLInputElement)
  if (box.checked !== shown) box.checked = shown
  within(item, ".swatch", HTMLElement).style.background = color
  write(within(item, ".name", HTMLElement), head.name)
  write(within(item, ".state", HTMLElement), head.state)
  item.dataset["state"] = head.state
  const facts = [...head.facts, ...(head.folder === null ? [] : [["folder", head.folder] as const])]
  const list = within(item, "dl", HTMLElement)
  const text = JSON.stringify(facts)
  if (list.dataset["told"] === text) return
  list.dataset["told"] = text
  list.replaceChildren(...facts.flatMap(([label, value]) => [make("dt", { text: label }), make("dd", { text: value })]))
}
