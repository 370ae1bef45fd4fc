/** Pictures that the server has or draws: episodes of a policy, worlds of simulations that are over. */
import { byId, keep, make, within, write } from "./elements.ts"
import type { Model } from "./Model.ts"

/** Runs whose pictures are shown at a time: each is some work for the server. */
const mostRuns = 6

export const showPictures = (model: Model): void => {
  const section = byId("pictures")
  const pictures = model.shown.slice(0, mostRuns).flatMap(({ head }) =>
    head.pictures.map(({ path, title }) => ({ path, title: `${head.name}: ${title}` }))
  ).toReversed()
  section.hidden = pictures.length === 0
  keep(within(section, ".items", HTMLElement), pictures, {
    key: ({ path, title }) => `${path} ${title}`,
    create: ({ path, title }) => {
      const image = make("img")
      image.loading = "lazy"
      image.alt = title
      image.src = path
      image.addEventListener(
        "error",
        () => image.replaceWith(make("p", { class: "dim", text: "There is no picture." }))
      )
      return make("figure", {}, make("figcaption", {}, make("h3")), image)
    },
    update: (figure, { title }) => write(within(figure, "h3", HTMLElement), title)
  })
}
